//! Presentation of pixels in a window.

#[cfg(not(target_os = "linux"))]
mod software;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(not(target_os = "linux"))]
pub(super) use software::SoftwareScreen as PageScreen;
#[cfg(target_os = "linux")]
pub(super) use x11::X11Screen as PageScreen;
