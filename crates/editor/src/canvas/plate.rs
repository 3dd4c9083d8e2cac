//! Where a window's picture stays from frame to frame, and what draws on it: the screen itself if that keeps it, or else a
//! sheet that is copied to the screen.

#![allow(unsafe_code, reason = "calls of OpenGL")]

use super::batch::{Batch, Step};
use super::egl::Egl;
use egui::TextureId;
use egui_glow::Painter;
use egui_glow::glow::{
    ARRAY_BUFFER, Buffer, COLOR_ATTACHMENT0, COLOR_BUFFER_BIT, Context, DRAW_FRAMEBUFFER,
    ELEMENT_ARRAY_BUFFER, FLOAT, FRAGMENT_SHADER, FRAMEBUFFER, FRAMEBUFFER_COMPLETE, Framebuffer,
    HasContext as _, NEAREST, PixelPackData, PixelUnpackData, Program, RASTERIZER_DISCARD, READ_FRAMEBUFFER,
    RGBA, RGBA8, SCISSOR_TEST, STREAM_DRAW, TEXTURE_2D, TEXTURE_MAG_FILTER, TEXTURE_MIN_FILTER, TRIANGLES,
    Texture, UNSIGNED_BYTE, UNSIGNED_INT, UniformLocation, VERTEX_SHADER, VertexArray,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// From points to the picture, whose first row is the lowest.
const CORNER: &str = "#version 150
uniform vec2 window;
in vec2 place;
in vec2 part;
in vec4 paint;
noperspective out vec2 inner;
noperspective out vec4 colour;
void main() {
    gl_Position = vec4(2.0 * place.x / window.x - 1.0, 1.0 - 2.0 * place.y / window.y, 0.0, 1.0);
    inner = part;
    colour = paint;
}";
/// A pixel of one colour, or of several that run into each other.
const PLAIN: &str = "#version 150
noperspective in vec4 colour;
out vec4 pixel;
void main() {
    pixel = colour;
}";
/// A pixel of letters.
const TEXTURED: &str = "#version 150
uniform sampler2D letters;
noperspective in vec2 inner;
noperspective in vec4 colour;
out vec4 pixel;
void main() {
    pixel = colour * texture(letters, inner);
}";

/// Made by the first frame of a window; what it is made of goes with the window's OpenGL context.
#[derive(Debug)]
pub(super) struct Plate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    egl: Option<Egl>,
    tools: Option<Tools>,
    /// The screen keeps what is drawn on it, and there is no sheet.
    is_kept: bool,
    sheet: Option<SessionExport>,
    /// It cannot be made here: the framework draws to the screen, all of every frame.
    is_broken: bool,
    /// What was on it is gone.
    is_lost: bool,
}

/// What draws.
#[derive(Clone, Copy, Debug)]
struct Tools {
    /// For what has no texture, and for what has one.
    pens: [Pen; 2],
    layout: VertexArray,
    corners: Buffer,
}

#[derive(Clone, Copy, Debug)]
struct Pen {
    program: Program,
    window: UniformLocation,
}

/// What is drawn on.
#[derive(Clone, Copy, Debug)]
struct SessionExport {
    frame: Framebuffer,
    texture: Texture,
    size: [u32; 2],
}

impl Plate {
    /// Of a window that is drawn with `egl`, or with something else.
    pub(super) fn new(egl: Option<Egl>) -> Self {
        Self(Mutex::new(State { egl, ..State::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is none, and will be none.
    pub(super) fn is_broken(&self) -> bool {
        self.lock().is_broken
    }

    /// Whether everything has to be drawn again; asked once.
    pub(super) fn was_lost(&self) -> bool {
        std::mem::take(&mut self.lock().is_lost)
    }

    /// Draws a batch, which is the `whole` window or a part, and shows the plate. False if it could not be done, and the next
    /// frame must follow at once. Only called by the framework's painter.
    pub(super) fn draw(
        &self,
        painter: &Painter,
        size: [u32; 2],
        scale: f32,
        batch: &Batch,
        whole: bool,
    ) -> bool {
        if size.contains(&0) {
            return true;
        }
        let (gl, mut state) = (painter.gl(), self.lock());
        if state.tools.is_none() {
            state.tools = tools(gl);
            state.is_kept = state.egl.is_some_and(|egl| egl.keep());
        }
        if state.is_kept {
            state.is_lost = !whole && is_new(gl);
        } else {
            let kept = state.sheet.filter(|sheet| sheet.size == size);
            state.is_lost = !whole && kept.is_none();
            state.sheet = kept.or_else(|| sheet(gl, size, state.sheet));
        }
        let Some(tools) = state.tools.filter(|_| state.is_kept || state.sheet.is_some()) else {
            state.is_broken = true;
            return false;
        };
        let frame = state.sheet.map(|sheet| sheet.frame);
        let [width, height] = size.map(|x| x as i32);
        // SAFETY: the framework's painter calls this between its own calls, with its context current, in which all of these
        // were made; it has set how colours are blended, and sets its own state anew afterwards. The indices of a batch are
        // those of its corners.
        unsafe {
            gl.disable(RASTERIZER_DISCARD);
            gl.bind_framebuffer(FRAMEBUFFER, frame);
            gl.viewport(0, 0, width, height);
            gl.bind_vertex_array(Some(tools.layout));
            gl.bind_buffer(ARRAY_BUFFER, Some(tools.corners));
            gl.buffer_data_u8_slice(ARRAY_BUFFER, &batch.corners, STREAM_DRAW);
            gl.buffer_data_u8_slice(ELEMENT_ARRAY_BUFFER, &batch.indices, STREAM_DRAW);
            for pen in &tools.pens {
                gl.use_program(Some(pen.program));
                gl.uniform_2_f32(Some(&pen.window), width as f32 / scale, height as f32 / scale);
            }
            gl.clear_color(0.0, 0.0, 0.0, 1.0);
            for step in &batch.steps {
                self::step(gl, step, height, &tools, |id| painter.texture(id));
            }
            gl.bind_vertex_array(None);
            gl.disable(SCISSOR_TEST);
            if frame.is_some() {
                gl.bind_framebuffer(READ_FRAMEBUFFER, frame);
                gl.bind_framebuffer(DRAW_FRAMEBUFFER, None);
                gl.blit_framebuffer(0, 0, width, height, 0, 0, width, height, COLOR_BUFFER_BIT, NEAREST);
                gl.bind_framebuffer(FRAMEBUFFER, None);
            } else {
                // the framework wipes the screen before every frame: without effect until the next comes here
                gl.enable(RASTERIZER_DISCARD);
            }
        }
        !state.is_lost
    }
}

/// Whether the system has given a window another buffer, as it does for another size: that is transparent, the picture never.
fn is_new(gl: &Context) -> bool {
    let mut pixel = [0; 4];
    // SAFETY: as in `Plate::draw`; one pixel is four bytes.
    unsafe { gl.read_pixels(0, 0, 1, 1, RGBA, UNSIGNED_BYTE, PixelPackData::Slice(Some(&mut pixel))) };
    pixel[3] == 0
}

/// Does one step in a window of that height in pixels.
///
/// # Safety
/// As in [`Plate::draw`].
unsafe fn step(
    gl: &Context,
    step: &Step,
    window: i32,
    tools: &Tools,
    texture_of: impl Fn(TextureId) -> Option<Texture>,
) {
    let (Step::Wipe([left, top, width, height]) | Step::Draw { place: [left, top, width, height], .. }) =
        *step;
    // SAFETY: the caller's.
    unsafe {
        gl.scissor(left, window - top - height, width, height);
        match *step {
            Step::Wipe(_) => gl.clear(COLOR_BUFFER_BIT),
            Step::Draw { texture, from, count, .. } => {
                gl.use_program(Some(tools.pens[usize::from(texture.is_some())].program));
                if let Some(id) = texture {
                    gl.bind_texture(TEXTURE_2D, texture_of(id));
                }
                gl.draw_elements(TRIANGLES, count, UNSIGNED_INT, 4 * from);
            }
        }
    }
}

/// Makes what draws.
fn tools(gl: &Context) -> Option<Tools> {
    let pens = [pen(gl, PLAIN)?, pen(gl, TEXTURED)?];
    // SAFETY: as in `Plate::draw`; a corner is laid out as a batch writes it.
    unsafe {
        let layout = gl.create_vertex_array().ok()?;
        let (corners, indices) = (gl.create_buffer().ok()?, gl.create_buffer().ok()?);
        gl.bind_vertex_array(Some(layout));
        gl.bind_buffer(ARRAY_BUFFER, Some(corners));
        gl.bind_buffer(ELEMENT_ARRAY_BUFFER, Some(indices));
        for (index, size, kind, start) in [(0, 2, FLOAT, 0), (1, 2, FLOAT, 8), (2, 4, UNSIGNED_BYTE, 16)] {
            gl.enable_vertex_attrib_array(index);
            gl.vertex_attrib_pointer_f32(index, size, kind, kind == UNSIGNED_BYTE, Batch::STRIDE, start);
        }
        gl.bind_vertex_array(None);
        // the indices belong to the layout
        Some(Tools { pens, layout, corners })
    }
}

/// Makes a pen whose pixels are drawn by `source`.
fn pen(gl: &Context, source: &str) -> Option<Pen> {
    // SAFETY: as in `Plate::draw`.
    unsafe {
        let program = gl.create_program().ok()?;
        for (kind, source) in [(VERTEX_SHADER, CORNER), (FRAGMENT_SHADER, source)] {
            let shader = gl.create_shader(kind).ok()?;
            gl.shader_source(shader, source);
            gl.compile_shader(shader);
            gl.attach_shader(program, shader);
            // it goes with the program
            gl.delete_shader(shader);
        }
        for (index, name) in [(0, "place"), (1, "part"), (2, "paint")] {
            gl.bind_attrib_location(program, index, name);
        }
        gl.link_program(program);
        let window = gl.get_uniform_location(program, "window");
        if !gl.get_program_link_status(program) {
            return None;
        }
        Some(Pen { program, window: window? })
    }
}

/// Makes a sheet of so many pixels, out of what is there.
fn sheet(gl: &Context, size: [u32; 2], old: Option<SessionExport>) -> Option<SessionExport> {
    let [width, height] = size.map(|x| x as i32);
    // SAFETY: as in `Plate::draw`.
    unsafe {
        let (frame, texture) = match old {
            Some(old) => (old.frame, old.texture),
            None => (gl.create_framebuffer().ok()?, gl.create_texture().ok()?),
        };
        gl.bind_texture(TEXTURE_2D, Some(texture));
        let nothing = PixelUnpackData::Slice(None);
        gl.tex_image_2d(TEXTURE_2D, 0, RGBA8 as i32, width, height, 0, RGBA, UNSIGNED_BYTE, nothing);
        for filter in [TEXTURE_MIN_FILTER, TEXTURE_MAG_FILTER] {
            gl.tex_parameter_i32(TEXTURE_2D, filter, NEAREST as i32);
        }
        gl.bind_texture(TEXTURE_2D, None);
        gl.bind_framebuffer(FRAMEBUFFER, Some(frame));
        gl.framebuffer_texture_2d(FRAMEBUFFER, COLOR_ATTACHMENT0, TEXTURE_2D, Some(texture), 0);
        let status = gl.check_framebuffer_status(FRAMEBUFFER);
        gl.bind_framebuffer(FRAMEBUFFER, None);
        (status == FRAMEBUFFER_COMPLETE).then_some(SessionExport { frame, texture, size })
    }
}
