//! Editor that a host embeds: the framework's window around a [`PluginView`], created for every opening at its last
//! size. The framework remembers no size across instances, counts the scale twice when a window is opened again, and
//! does not report a closed window to a view. Without OpenGL, a [plain] window opens in its place: where a window is made only
//! once its parent is known (CLAP on Windows), as soon as it is.

use super::files::window_settings::WindowSettings;
use super::plain::{self, Extent, HostLender, PageText};
use super::stem::MIN_SIZE;
use super::theme::SCALES;
use super::window::palette;
use super::{NOTIFIER_POLL_INTERVAL, PluginView};
use egui::{Context, Ui};
use fragile::Fragile;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    EditorHandle, HostMethods, Modifiers, ParentWindowHandle, ResizeHint, SpawnedEditor, VirtualKeyCode,
};
use nice_plug::prelude::TrackInfo;
use nice_plug_egui::baseview::{self, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, GraphicsConfig, NiceEguiApp,
    RepaintNotifier, create_egui_editor,
};
use plugin_core::Output;
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type FrameworkEditor<O> = EguiEditor<SharedView<O>>;

/// The editor of a plugin.
pub struct Editor<O: Output> {
    view: SharedView<O>,
    title: String,
    bell: RepaintNotifier,
    /// The framework's editor for the window that is open, or was last.
    inner: RefCell<Option<FrameworkEditor<O>>>,
    /// Size of the plain window while that one is open.
    extent: Extent,
    /// Called when a host asks for the size of a closed window: it is about to open one.
    before_opening: Box<dyn Fn() + Send>,
}

/// A view that outlives its windows.
struct SharedView<O: Output>(Arc<Mutex<PluginView<O>>>);

impl<O: Output> Clone for SharedView<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Output> SharedView<O> {
    fn lock(&self) -> MutexGuard<'_, PluginView<O>> {
        // a view contains its panics; what is left of it is whole
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Output> Editor<O> {
    /// An editor that shows `view`. Nothing is opened yet.
    pub(super) fn new(title: &str, view: PluginView<O>, before_opening: Box<dyn Fn() + Send>) -> Self {
        Self {
            view: SharedView(Arc::new(Mutex::new(view))),
            title: title.into(),
            bell: RepaintNotifier::new(),
            inner: RefCell::default(),
            extent: Extent::default(),
            before_opening,
        }
    }

    fn settings(&self) -> EguiNiceSettings {
        EguiNiceSettings::new()
            .with_tile(&self.title)
            .with_repaint_poll_interval(NOTIFIER_POLL_INTERVAL)
            .with_graphics_config(GraphicsConfig { dithering: false, ..GraphicsConfig::default() })
            .with_resize_hint(hint())
    }
}

/// The window that needs no OpenGL, not yet opened.
struct PlainPage<O: Output> {
    view: SharedView<O>,
    title: String,
    extent: Extent,
    settings: WindowSettings,
    fallback_scale_factor: Cell<Option<f64>>,
    host: Option<HostLender>,
}

impl<O: Output> PlainPage<O> {
    /// Returns the host's callbacks for the next window.
    fn lend(&self) -> Option<HostMethods> {
        self.host.as_ref().map(HostLender::lend)
    }

    /// Opens it, in place of a window that failed for `reason`.
    fn open(
        &self,
        reason: String,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
    ) -> Result<baseview::Window, baseview::Error> {
        // what had been opened before it failed ends without the view's lock
        let threads = self.view.lock().closed();
        drop(threads);
        let title = self.view.lock().title();
        let settings = &self.settings;
        let (size, least) = (settings.size(O::CHAIN_KIND) * settings.scale, MIN_SIZE * SCALES[0]);
        let host_settings = baseview::WindowSettings::new()
            .with_title(&self.title)
            .with_size(LogicalSize::new(f64::from(size.x), f64::from(size.y)))
            .with_min_size(LogicalSize::new(f64::from(least.x), f64::from(least.y)))
            .with_parent(parent.as_ref())
            .with_wait_for_parent(wait_for_parent)
            .with_fallback_scale_factor(self.fallback_scale_factor.get());
        let words = PageText { title, reason };
        let looks = (palette(settings.dark), settings.scale);
        plain::open(host_settings, words, looks, self.extent.clone(), self.lend())
    }
}

/// Resize hint of the window: its smallest size is that of the smallest scale; a window too small for its scale is drawn smaller.
fn hint() -> ResizeHint {
    let least = MIN_SIZE * SCALES[0];
    ResizeHint::resizable().with_min_logical_size(LogicalSize::new(least.x, least.y))
}

/// State of a window that opens: size and scale.
fn state<O: Output>(settings: &WindowSettings) -> Arc<EguiEditorState> {
    let size = settings.size(O::CHAIN_KIND);
    EguiEditorState::from_size(LogicalSize::new(size.x, size.y), settings.scale)
}

impl<O: Output> nice_plug::editor::Editor for Editor<O> {
    type Handle = Handle<O>;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn std::error::Error>> {
        let settings = WindowSettings::load();
        self.view.lock().window.open_with(settings.clone());
        let made =
            create_egui_editor(state::<O>(&settings), self.bell.clone(), self.settings(), self.view.clone());
        let inner = made.ok_or("the window cannot be made")?;
        let page = PlainPage {
            view: self.view.clone(),
            title: self.title.clone(),
            extent: self.extent.clone(),
            settings,
            fallback_scale_factor: Cell::new(fallback_scale_factor),
            host: host.map(HostLender::new),
        };
        match inner.spawn(parent, wait_for_parent, fallback_scale_factor, context, page.lend()) {
            Ok(spawned) => {
                self.inner.replace(Some(inner));
                let handle = Handle {
                    drawn: Some(spawned.handle),
                    view: self.view.clone(),
                    spare: wait_for_parent.then(|| Fragile::new(page)),
                    page: Fragile::new(RefCell::default()),
                };
                Ok(SpawnedEditor { handle, window: spawned.window })
            }
            Err(error) => {
                // the first failure is the one to be told
                let window = page.open(error.to_string(), parent, wait_for_parent).map_err(|_| error)?;
                let page = Fragile::new(RefCell::default());
                let handle = Handle { drawn: None, view: self.view.clone(), spare: None, page };
                Ok(SpawnedEditor { handle, window })
            }
        }
    }

    fn size(&self) -> NativeSize<u32> {
        if let Some(size) = self.extent.get() {
            return size;
        }
        let (is_open, is_sized, settings) = {
            let view = self.view.lock();
            (view.window.is_open(), view.sized, view.window.remembered())
        };
        if !is_open {
            (self.before_opening)();
        }
        match self.inner.borrow().as_ref().filter(|_| is_open) {
            Some(inner) if is_sized => inner.size(),
            // before its first size is known, the framework leaves the scale out
            _ => {
                let settings = if is_open { settings } else { WindowSettings::load() };
                let size = settings.size(O::CHAIN_KIND) * settings.scale;
                NativeSize::from_size(LogicalSize::new(size.x, size.y).into(), 1.0)
            }
        }
    }

    fn resize_hint(&self) -> ResizeHint {
        hint()
    }

    fn track_info_updated(&self, info: TrackInfo) {
        self.view.lock().track_info_changed(info);
        self.bell.request_repaint();
    }
}

impl<O: Output> NiceEguiApp for SharedView<O> {
    fn build(
        &mut self,
        ctx: Context,
        context: GuiContext,
        _: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        let view = Arc::downgrade(&self.0);
        let is_stale = move || view.upgrade().is_some_and(|view| Self(view).lock().is_stale());
        self.lock().opened(&ctx, context, is_stale);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let mut view = self.lock();
        let window = frame.baseview_window();
        let size = window.size().logical;
        view.frame(ui, egui::vec2(size.width as f32, size.height as f32), window.has_focus());
        // as the bytes are that the framebuffer has
        let [red, green, blue, _] = view.window.background().to_normalized_gamma_f32();
        frame.set_clear_color(egui::Rgba::from_rgb(red, green, blue));
    }

    fn resized(&mut self, _: WindowSize) {
        self.lock().sized = true;
    }
}

/// Open window; dropping it closes it.
pub struct Handle<O: Output> {
    /// Handle of the framework's window; `None` for the plain window.
    drawn: Option<EguiEditorHandle>,
    view: SharedView<O>,
    /// The page to open if the framework's window cannot be made once its parent is known.
    /// Both belong to the host's main thread, on which windows are made.
    spare: Option<Fragile<PlainPage<O>>>,
    /// That page, open in place of the framework's window.
    page: Fragile<RefCell<Option<baseview::Window>>>,
}

impl<O: Output> Handle<O> {
    /// Calls `call` with the window that is open and its handle; `window` is the one that the framework has.
    fn on_open_window<T>(
        &self,
        window: &baseview::Window,
        call: impl FnOnce(Option<&EguiEditorHandle>, &baseview::Window) -> T,
    ) -> T {
        match self.page.try_get().ok().map(RefCell::borrow).as_deref() {
            Some(Some(page)) => call(None, page),
            _ => call(self.drawn.as_ref(), window),
        }
    }
}

impl<O: Output> Drop for Handle<O> {
    fn drop(&mut self) {
        // threads end without the view's lock
        let threads = self.view.lock().closed();
        drop(threads);
    }
}

impl<O: Output> EditorHandle for Handle<O> {
    type Window = baseview::Window;
    type Error = baseview::Error;

    fn run_until_closed(window: Self::Window) -> Result<(), Self::Error> {
        EguiEditorHandle::run_until_closed(window)
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &Self::Window) -> Result<(), Self::Error> {
        let set = self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.set_parent(parent, window),
            None => window.set_parent(&parent),
        });
        let Err(error) = set else { return Ok(()) };
        let spare = self.spare.as_ref().and_then(|spare| spare.try_get().ok());
        let (Some(spare), Ok(place)) = (spare, self.page.try_get()) else { return Err(error) };
        if place.borrow().is_some() {
            return Err(error);
        }
        // the first failure is the one to be told
        let page = spare.open(error.to_string(), Some(parent), false).map_err(|_| error)?;
        place.replace(Some(page));
        Ok(())
    }

    fn show(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.show(window),
            None => window.show(),
        })
    }

    fn hide(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.hide(window),
            None => window.hide(),
        })
    }

    fn set_size(&self, size: NativeSize<u32>, window: &Self::Window) -> Result<(), Self::Error> {
        self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.set_size(size, window),
            None => window.resize(size),
        })
    }

    fn host_main_thread_callback(&self, window: &Self::Window) {
        self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.host_main_thread_callback(window),
            None => window.host_main_thread_callback(),
        });
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.adjust_size(size, window),
            None => {
                let now = window.size();
                let current = NativeSize::from_logical_or_physical(now.logical, now.physical);
                Some(hint().adjust_size(size, current, now.scale_factor))
            }
        })
    }

    fn set_fallback_scale_factor(&self, factor: f64, window: &Self::Window) -> Result<(), Self::Error> {
        if let Some(spare) = self.spare.as_ref().and_then(|spare| spare.try_get().ok()) {
            spare.fallback_scale_factor.set(Some(factor));
        }
        self.on_open_window(window, |drawn, window| match drawn {
            Some(inner) => inner.set_fallback_scale_factor(factor, window),
            None => window.suggest_fallback_scale_factor(factor),
        })
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        self.drawn.as_ref().is_some_and(|inner| inner.on_virtual_key_from_host(key, is_down, modifiers))
    }

    fn state_changed(&self) {
        if let Some(inner) = &self.drawn {
            inner.state_changed();
        }
    }

    fn param_value_changed(&self, id: &str, value: f32) {
        if let Some(inner) = &self.drawn {
            inner.param_value_changed(id, value);
        }
    }

    fn param_modulation_changed(&self, id: &str, offset: f32) {
        if let Some(inner) = &self.drawn {
            inner.param_modulation_changed(id, offset);
        }
    }
}
