//! Has a window keep its picture when it is shown, where EGL can: software renderers on X11 do, for they copy it.

#![allow(unsafe_code, reason = "calls of EGL")]

use core::ffi::{CStr, c_void};
use nice_plug_egui::baseview::WindowContext;

type Handle = *mut c_void;
type Display = unsafe extern "system" fn() -> Handle;
type Surface = unsafe extern "system" fn(i32) -> Handle;
type Set = unsafe extern "system" fn(Handle, Handle, i32, i32) -> u32;

const DRAW: i32 = 0x3059;
const SWAP_BEHAVIOR: i32 = 0x3093;
const BUFFER_PRESERVED: i32 = 0x3094;

/// The functions of EGL 1.4 that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Egl {
    display: Display,
    surface: Surface,
    set: Set,
}

impl Egl {
    /// Of a window that is drawn with EGL; others have none of its functions.
    pub(super) fn of(window: &WindowContext) -> Option<Self> {
        let gl = window.gl_context().filter(|_| cfg!(target_os = "linux"))?;
        let find = |name: &CStr| Some(gl.get_proc_address(name)).filter(|function| !function.is_null());
        let display = find(c"eglGetCurrentDisplay")?;
        let surface = find(c"eglGetCurrentSurface")?;
        let set = find(c"eglSurfaceAttrib")?;
        // SAFETY: what EGL gives under these names has these signatures (EGL 1.4, 3.5.6, 3.7.4), and stays while the window is
        // open: its library is held by the window.
        unsafe {
            Some(Self {
                display: core::mem::transmute::<*const c_void, Display>(display),
                surface: core::mem::transmute::<*const c_void, Surface>(surface),
                set: core::mem::transmute::<*const c_void, Set>(set),
            })
        }
    }

    /// Has the picture kept from now on in the window whose context is current; false if it cannot be.
    pub(super) fn keep(&self) -> bool {
        // SAFETY: valid at any time in any thread; without a current context it fails.
        unsafe { (self.set)((self.display)(), (self.surface)(DRAW), SWAP_BEHAVIOR, BUFFER_PRESERVED) != 0 }
    }
}
