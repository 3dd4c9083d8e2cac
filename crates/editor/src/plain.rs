//! Window without OpenGL: a page of text that says so. Every parameter stays usable from the host.
//!
//! It is painted by the processor when it is opened, uncovered or resized, and does nothing else.

mod page;
mod screen;

use super::theme::Palette;
use super::window::fitting;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{HostCallbacks, HostMainThreadCaller, HostMethods};
use nice_plug_egui::baseview::host::{self, Host};
use nice_plug_egui::baseview::{
    DamageArea, Error, Event, EventStatus, HandlerError, Window, WindowContext, WindowHandler,
    WindowSettings, WindowSize,
};
use page::PagePainter;
use screen::PageScreen;
use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest side painted, pixels: more than screens have.
const MAX_SIDE_PIXELS: usize = 8192;
/// Accepted pixels per point.
const SCALE_RANGE: RangeInclusive<f32> = 0.25..=8.0;

/// Texts of the page.
#[derive(Clone, Debug)]
pub(super) struct PageText {
    /// Plugin and track name.
    pub(super) title: String,
    /// Reason for which there is no OpenGL.
    pub(super) reason: String,
}

/// Size of the page's window while it is open, in the units of the system; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Extent(Arc<Mutex<Option<NativeSize<u32>>>>);

impl Extent {
    /// Returns the window's size; `None` while it is not open.
    pub(super) fn get(&self) -> Option<NativeSize<u32>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, size: Option<WindowSize>) {
        let size = size.map(|size| NativeSize::from_logical_or_physical(size.logical, size.physical));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }
}

/// Opens the page.
///
/// # Errors
/// If there can be no window at all, or none that can be painted.
pub(super) fn open(
    settings: WindowSettings,
    words: PageText,
    (palette, scale): (Palette, f32),
    extent: Extent,
    host: Option<HostMethods>,
) -> Result<Window, Error> {
    let build = move |window: WindowContext| {
        let size = window.size();
        // the library of pixels may panic: on macOS a second copy of it in the process cannot register its class
        let screen = catch_unwind(AssertUnwindSafe(|| PageScreen::new(&window)))
            .map_err(|_| HandlerError::from_boxed("the system gives the page no pixels".into()))??;
        extent.set(Some(size));
        let painter = PagePainter::new(words, palette);
        Ok(Panel {
            screen: RefCell::new(screen),
            painter: RefCell::new(painter),
            size: Cell::new(size),
            scale,
            stale: Cell::new(true),
            extent,
        })
    };
    Window::create_with_host(settings, build, host.map(hosted))
}

/// The page in its window.
struct Panel {
    screen: RefCell<PageScreen>,
    painter: RefCell<PagePainter>,
    size: Cell<WindowSize>,
    /// The user's scale, 1 for 100 %.
    scale: f32,
    /// The page has to be painted.
    stale: Cell<bool>,
    extent: Extent,
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.extent.set(None);
    }
}

impl WindowHandler for Panel {
    fn draw(&self) -> Result<(), HandlerError> {
        if !self.stale.take() {
            return Ok(());
        }
        // neither calls back
        let (Ok(mut screen), Ok(mut painter)) = (self.screen.try_borrow_mut(), self.painter.try_borrow_mut())
        else {
            return Ok(());
        };
        let size = self.size.get();
        let room = egui::vec2(size.logical.width as f32, size.logical.height as f32);
        let pixels_per_point = size.scale_factor as f32 * fitting(room, self.scale);
        let pixels_per_point = if SCALE_RANGE.contains(&pixels_per_point) { pixels_per_point } else { 1.0 };
        let [width, height] =
            [size.physical.width, size.physical.height].map(|side| MAX_SIDE_PIXELS.min(side as usize));
        // the host lives, the window stays empty
        let painted = catch_unwind(AssertUnwindSafe(|| painter.paint((width, height), pixels_per_point)));
        painted.map_or(Ok(()), |picture| screen.present_image(&picture))
    }

    fn damage(&self, _: DamageArea<'_>) {
        self.stale.set(true);
    }

    fn resized(&self, size: WindowSize) -> Result<(), HandlerError> {
        self.size.set(size);
        self.stale.set(true);
        self.extent.set(Some(size));
        Ok(())
    }

    fn on_event(&self, _: Event) -> EventStatus {
        EventStatus::Ignored
    }
}

/// Host callbacks of a window, lent to one window after another, because a window that cannot be opened drops its own.
pub(super) struct HostLender {
    callbacks: Rc<RefCell<Box<dyn HostCallbacks>>>,
    caller: Arc<Mutex<Box<dyn HostMainThreadCaller>>>,
}

impl HostLender {
    /// Takes the host callbacks that the framework gave for one window.
    pub(super) fn new(host: HostMethods) -> Self {
        Self {
            callbacks: Rc::new(RefCell::new(host.callbacks)),
            caller: Arc::new(Mutex::new(host.main_thread_caller)),
        }
    }

    /// Returns host callbacks for the next window.
    pub(super) fn lend(&self) -> HostMethods {
        HostMethods {
            callbacks: Box::new(Callbacks(Rc::clone(&self.callbacks))),
            main_thread_caller: Box::new(Caller(Arc::clone(&self.caller))),
        }
    }
}

struct Callbacks(Rc<RefCell<Box<dyn HostCallbacks>>>);

impl HostCallbacks for Callbacks {
    fn request_resize(
        &mut self,
        size: nice_plug::editor::dpi::Size,
        scale_factor: f64,
    ) -> Result<(), Box<dyn std::error::Error>> {
        self.0.try_borrow_mut()?.request_resize(size, scale_factor)
    }

    fn destroyed(&mut self) {
        if let Ok(mut callbacks) = self.0.try_borrow_mut() {
            callbacks.destroyed();
        }
    }
}

struct Caller(Arc<Mutex<Box<dyn HostMainThreadCaller>>>);

impl HostMainThreadCaller for Caller {
    fn call_main_thread(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).call_main_thread();
    }
}

/// Converts the framework's host callbacks to the window library's.
fn hosted(methods: HostMethods) -> Host {
    Host::new()
        .with_callbacks(HostedCallbacks(methods.callbacks))
        .with_main_thread(HostedCaller(methods.main_thread_caller))
}

struct HostedCallbacks(Box<dyn HostCallbacks>);

impl host::HostCallbacks for HostedCallbacks {
    fn request_resize(&mut self, size: WindowSize) -> Result<(), HandlerError> {
        let asked = self.0.request_resize(size.physical.into(), size.scale_factor);
        asked.map_err(HandlerError::from_boxed)
    }

    fn destroyed(&mut self) {
        self.0.destroyed();
    }
}

struct HostedCaller(Box<dyn HostMainThreadCaller>);

impl host::HostMainThreadCaller for HostedCaller {
    fn call_main_thread(&mut self) {
        self.0.call_main_thread();
    }
}
