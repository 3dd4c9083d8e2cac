//! Presentation of pixels in a window of Windows or macOS.

use crate::plain::page::PageImage;
use nice_plug_egui::baseview::{HandlerError, PlatformHandle, WindowContext};
use softbuffer::{Context, Surface};
use std::num::NonZeroU32;

/// Window that shows images.
pub(in crate::plain) struct SoftwareScreen(Surface<PlatformHandle, PlatformHandle>);

impl SoftwareScreen {
    /// Returns the screen of an existing window.
    ///
    /// # Errors
    /// If the system gives it no pixels.
    pub(in crate::plain) fn new(window: &WindowContext) -> Result<Self, HandlerError> {
        let handle = window.platform_handle();
        let context = Context::new(handle.clone())?;
        Ok(Self(Surface::new(&context, handle)?))
    }

    /// Shows the image in the window.
    ///
    /// # Errors
    /// If the window is gone.
    pub(in crate::plain) fn present_image(&mut self, picture: &PageImage) -> Result<(), HandlerError> {
        let rows = picture.pixels.len() / picture.width.max(1);
        let size = |pixels: usize| u32::try_from(pixels).ok().and_then(NonZeroU32::new);
        let Some((width, height)) = size(picture.width).zip(size(rows)) else { return Ok(()) };
        self.0.resize(width, height)?;
        let mut buffer = self.0.buffer_mut()?;
        for (to, pixel) in buffer.iter_mut().zip(&picture.pixels) {
            *to = u32::from_be_bytes([0, pixel.r(), pixel.g(), pixel.b()]);
        }
        Ok(buffer.present()?)
    }
}
