//! Presentation of pixels in a window of X11, over a connection of its own: images in pieces of the server's request size.

use crate::plain::page::PageImage;
use egui::Color32;
use nice_plug_egui::baseview::{HandlerError, WindowContext};
use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::xproto::{ConnectionExt, CreateGCAux, ImageFormat, ImageOrder, Visualtype};
use x11rb::rust_connection::RustConnection;

/// Masks of red, green and blue in a pixel.
const COLOUR_MASKS: (u32, u32, u32) = (0xFF_0000, 0xFF00, 0xFF);
/// Upper bound of a request's bytes besides its pixels.
const REQUEST_HEAD_BYTES: usize = 64;

/// Window that shows images.
pub(in crate::plain) struct X11Screen {
    connection: RustConnection,
    window: u32,
    graphics: u32,
    depth: u8,
    /// The server wants the lowest byte of a pixel first.
    is_little_endian: bool,
}

impl X11Screen {
    /// Returns the screen of an existing window.
    ///
    /// # Errors
    /// Without a connection, and if pixels are not four bytes of red, green and blue.
    pub(in crate::plain) fn new(window: &WindowContext) -> Result<Self, HandlerError> {
        let window = match window.window_handle().map(|handle| handle.as_raw()) {
            Ok(RawWindowHandle::Xcb(handle)) => handle.window.get(),
            Ok(RawWindowHandle::Xlib(handle)) => u32::try_from(handle.window)?,
            _ => return Err(unusual("the window is not one of X11")),
        };
        let (connection, _) = RustConnection::connect(None)?;
        let depth = connection.get_geometry(window)?.reply()?.depth;
        let visual = connection.get_window_attributes(window)?.reply()?.visual;
        let setup = connection.setup();
        let mut visuals = setup.roots.iter().flat_map(|root| &root.allowed_depths).flat_map(|of| &of.visuals);
        let has_usual_colours =
            |visual: &Visualtype| (visual.red_mask, visual.green_mask, visual.blue_mask) == COLOUR_MASKS;
        let mut formats = setup.pixmap_formats.iter();
        if !visuals.any(|other| other.visual_id == visual && has_usual_colours(other))
            || !formats.any(|format| format.depth == depth && format.bits_per_pixel == 32)
        {
            return Err(unusual("the screen's pixels are not four bytes of red, green and blue"));
        }
        let is_little_endian = setup.image_byte_order == ImageOrder::LSB_FIRST;
        let graphics = connection.generate_id()?;
        connection.create_gc(graphics, window, &CreateGCAux::new().graphics_exposures(0))?.check()?;
        Ok(Self { connection, window, graphics, depth, is_little_endian })
    }

    /// Shows the image in the window's upper left corner and waits until it is drawn.
    ///
    /// # Errors
    /// If the window or the connection is gone.
    pub(in crate::plain) fn present_image(&mut self, picture: &PageImage) -> Result<(), HandlerError> {
        let Ok(width) = u16::try_from(picture.width) else { return Err(unusual("the window is too wide")) };
        let row = 4 * picture.width;
        let rows =
            (self.connection.maximum_request_bytes().saturating_sub(REQUEST_HEAD_BYTES) / row.max(1)).max(1);
        for (piece, pixels) in picture.pixels.chunks((rows * picture.width).max(1)).enumerate() {
            let top = i16::try_from(piece * rows)?;
            let height = u16::try_from(pixels.len() / picture.width)?;
            let data: Vec<u8> = pixels.iter().flat_map(|pixel| self.bytes(*pixel)).collect();
            let (format, to, with) = (ImageFormat::Z_PIXMAP, self.window, self.graphics);
            let asked =
                self.connection.put_image(format, to, with, width, height, 0, top, 0, self.depth, &data)?;
            asked.check()?;
        }
        Ok(())
    }

    /// Returns the bytes of an opaque pixel.
    fn bytes(&self, pixel: Color32) -> [u8; 4] {
        let value = u32::from_be_bytes([0xFF, pixel.r(), pixel.g(), pixel.b()]);
        if self.is_little_endian { value.to_le_bytes() } else { value.to_be_bytes() }
    }
}

fn unusual(what: &str) -> HandlerError {
    HandlerError::from_boxed(what.into())
}
