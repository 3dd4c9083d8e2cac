//! Windows of plugins in an X server, and hands on mouse and keyboard.

#![allow(unsafe_code)] // giving the plugin a parent window

use super::Plugin;
use clack_extensions::gui::{self, GuiApiType, GuiConfiguration, GuiSize, PluginGui};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::present::{self, CompleteKind, ConnectionExt as _};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ButtonPressEvent, ConfigureWindowAux, ConnectionExt,
    CreateWindowAux, EventMask, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, KeyButMask,
    MOTION_NOTIFY_EVENT, Motion, MotionNotifyEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// An X server of its own, without a screen; it goes when this is dropped.
pub struct Server {
    process: Child,
    /// Value of `DISPLAY` for it.
    pub display: String,
}

impl Server {
    /// Starts Debian's `Xvfb`; `None` where there is none.
    pub fn start() -> Option<Self> {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "2400x1600x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        let said =
            std::io::BufRead::read_line(&mut std::io::BufReader::new(process.stdout.as_mut()?), &mut number);
        said.ok().filter(|bytes| *bytes > 1)?;
        Some(Self { process, display: format!(":{}", number.trim()) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it is gone either way
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection to the X server that `DISPLAY` names.
pub struct Screen {
    connection: RustConnection,
    root: u32,
    depth: u8,
}

/// Picture of a window: red, green, blue of every pixel, in rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Three bytes a pixel.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Number of different colours.
    pub fn colours(&self) -> usize {
        self.pixels.chunks_exact(3).collect::<std::collections::HashSet<_>>().len()
    }

    /// Pixels that differ.
    ///
    /// # Panics
    /// If the other is of another size.
    pub fn differs(&self, other: &Self) -> usize {
        assert_eq!((self.width, self.pixels.len()), (other.width, other.pixels.len()));
        self.pixels.chunks_exact(3).zip(other.pixels.chunks_exact(3)).filter(|(a, b)| a != b).count()
    }

    /// Writes a portable pixmap.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &Path) {
        let height = self.pixels.len() / 3 / self.width;
        let head = format!("P6 {} {height} 255\n", self.width);
        std::fs::write(path, [head.as_bytes(), &self.pixels].concat()).expect("the picture is written");
    }
}

/// A plugin's window inside one of the host's.
pub struct Window<'a> {
    screen: &'a Screen,
    /// The host's window.
    parent: u32,
    size: GuiSize,
    /// Threads of this process before it was opened.
    threads: usize,
    /// The plugin.
    pub plugin: &'a mut Plugin,
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Screen {
    /// Connects.
    pub fn connect() -> Self {
        let (connection, number) = x11rb::connect(None).expect("DISPLAY names an X server");
        let screen = &connection.setup().roots[number];
        let (root, depth) = (screen.root, screen.root_depth);
        Self { connection, root, depth }
    }

    /// Opens the plugin's window with its upper left corner at a place of the screen.
    pub fn open<'a>(&'a self, plugin: &'a mut Plugin, (x, y): (i16, i16)) -> Window<'a> {
        let threads = threads();
        let handle = plugin.instance.plugin_handle();
        let gui: PluginGui = handle.get_extension().expect("a window");
        let configuration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
        assert!(gui.is_api_supported(&handle, configuration));
        gui.create(&handle, configuration).expect("the window is made");
        let size = gui.get_size(&handle).expect("the window has a size");
        let parent = self.connection.generate_id().expect("an id");
        self.connection
            .create_window(
                self.depth,
                parent,
                self.root,
                x,
                y,
                size.width as u16,
                size.height as u16,
                0,
                WindowClass::INPUT_OUTPUT,
                0,
                &CreateWindowAux::new().background_pixel(0).event_mask(EventMask::STRUCTURE_NOTIFY),
            )
            .expect("asked")
            .check()
            .expect("the host's window is made");
        self.connection.map_window(parent).expect("asked").check().expect("shown");
        // SAFETY: the host's window is destroyed after the plugin's, in `drop`
        unsafe { gui.set_parent(&handle, gui::Window::from_x11_handle(parent.into())) }
            .expect("the window is embedded");
        // not every plugin has something to do here
        let _ = gui.show(&handle);
        Window { screen: self, parent, size, threads, plugin }
    }
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// Width and height that it says its open window has, pixels.
    pub fn window_size(&mut self) -> (u32, u32) {
        let handle = self.instance.plugin_handle();
        let gui: PluginGui = handle.get_extension().expect("a window");
        let size = gui.get_size(&handle).expect("the window has a size");
        (size.width, size.height)
    }

    /// True if it says that it can open no window.
    pub fn window_is_refused(&mut self) -> bool {
        let handle = self.instance.plugin_handle();
        let gui: PluginGui = handle.get_extension().expect("a window");
        let configuration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
        gui.create(&handle, configuration).is_err()
    }
}

/// Threads of this process.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    // the link's threads and those of AT-SPI, which say so in their names, are no window's; a bus client of the test's has some
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let shared = ["stemlink", "async-io", "blocking-", "zbus"];
    names.filter(|name| !shared.iter().any(|start| name.starts_with(start))).count()
}

/// Time limit of anything on a screen: software draws, and other tests run.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Window<'_> {
    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.size.width, self.size.height)
    }

    /// Gives it another size, as a host's own frame does.
    pub fn resize(&mut self, width: u32, height: u32) {
        let handle = self.plugin.instance.plugin_handle();
        let gui: PluginGui = handle.get_extension().expect("a window");
        assert!(gui.can_resize(&handle));
        let size = gui.adjust_size(&handle, GuiSize { width, height }).expect("a size like it");
        gui.set_size(&handle, size).expect("the size is taken");
        let wanted = ConfigureWindowAux::new().width(size.width).height(size.height);
        self.screen.connection.configure_window(self.parent, &wanted).expect("asked");
        self.screen.connection.flush().expect("sent");
        self.size = size;
        self.pass(Duration::from_millis(300));
    }

    /// Takes a picture of it.
    pub fn picture(&self) -> Picture {
        let (width, height) = (self.size.width as u16, self.size.height as u16);
        let image = self
            .screen
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.parent, 0, 0, width, height, !0)
            .expect("asked")
            .reply()
            .expect("the window is on the screen");
        let pixels = image.data.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]).collect();
        Picture { width: width.into(), pixels }
    }

    /// Lets time pass until what is seen is as wanted, and returns it; `None` if it never is.
    pub fn wait(&mut self, wanted: impl Fn(&mut Plugin, &Picture) -> bool) -> Option<Picture> {
        self.wait_for(PATIENCE, wanted)
    }

    /// The same, for so long at most: where it need not come.
    pub fn wait_for(
        &mut self,
        time: Duration,
        wanted: impl Fn(&mut Plugin, &Picture) -> bool,
    ) -> Option<Picture> {
        let start = Instant::now();
        loop {
            self.plugin.idle();
            let picture = self.picture();
            if wanted(self.plugin, &picture) {
                return Some(picture);
            }
            if start.elapsed() > time {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.plugin.idle();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Counts the frames that it is drawn from now on.
    pub fn frames(&self) -> Frames {
        let (connection, _) = x11rb::connect(None).expect("DISPLAY names an X server");
        let id = connection.generate_id().expect("an id");
        let mask = present::EventMask::COMPLETE_NOTIFY;
        let asked = connection.present_select_input(id, self.inner(), mask).expect("asked");
        asked.check().expect("the X server tells of refreshes");
        Frames { connection, count: 0 }
    }

    /// The plugin's own window, innermost.
    fn inner(&self) -> u32 {
        let mut window = self.parent;
        while let Ok(tree) = self.screen.connection.query_tree(window).expect("asked").reply() {
            match tree.children.last() {
                Some(&child) => window = child,
                None => break,
            }
        }
        window
    }

    fn send(&self, event: impl Into<[u8; 32]>) {
        let connection = &self.screen.connection;
        connection.send_event(false, self.inner(), EventMask::NO_EVENT, event).expect("asked");
        connection.flush().expect("sent");
    }

    /// Moves the pointer to a place in the window.
    pub fn point(&mut self, (x, y): (i16, i16), pressed: bool) {
        let state = if pressed { KeyButMask::BUTTON1 } else { KeyButMask::default() };
        self.send(MotionNotifyEvent {
            response_type: MOTION_NOTIFY_EVENT,
            detail: Motion::NORMAL,
            sequence: 0,
            time: 0,
            root: self.screen.root,
            event: self.inner(),
            child: 0,
            root_x: x,
            root_y: y,
            event_x: x,
            event_y: y,
            state,
            same_screen: true,
        });
        self.pass(Duration::from_millis(60));
    }

    fn button(&mut self, (x, y): (i16, i16), detail: u8, kind: u8) {
        self.send(ButtonPressEvent {
            response_type: kind,
            detail,
            sequence: 0,
            time: 0,
            root: self.screen.root,
            event: self.inner(),
            child: 0,
            root_x: x,
            root_y: y,
            event_x: x,
            event_y: y,
            state: KeyButMask::default(),
            same_screen: true,
        });
    }

    /// Presses the left button there.
    pub fn press(&mut self, at: (i16, i16)) {
        self.point(at, false);
        self.button(at, 1, BUTTON_PRESS_EVENT);
        self.pass(Duration::from_millis(60));
    }

    /// Lets the left button go there.
    pub fn release(&mut self, at: (i16, i16)) {
        self.button(at, 1, BUTTON_RELEASE_EVENT);
        self.pass(Duration::from_millis(60));
    }

    /// Clicks so many times in quick succession.
    pub fn click(&mut self, at: (i16, i16), times: usize) {
        self.point(at, false);
        for _ in 0..times {
            self.button(at, 1, BUTTON_PRESS_EVENT);
            self.pass(Duration::from_millis(30));
            self.button(at, 1, BUTTON_RELEASE_EVENT);
            self.pass(Duration::from_millis(30));
        }
        self.pass(Duration::from_millis(60));
    }

    /// Turns the wheel away (positive) or toward oneself.
    pub fn wheel(&mut self, at: (i16, i16), notches: i32) {
        self.point(at, false);
        for _ in 0..notches.abs() {
            let detail = if notches > 0 { 4 } else { 5 };
            self.button(at, detail, BUTTON_PRESS_EVENT);
            self.button(at, detail, BUTTON_RELEASE_EVENT);
            self.pass(Duration::from_millis(60));
        }
    }

    /// Presses a key of the server's keyboard.
    pub fn key(&mut self, code: u8) {
        self.button((1, 1), code, KEY_PRESS_EVENT);
        self.button((1, 1), code, KEY_RELEASE_EVENT);
        self.pass(Duration::from_millis(60));
    }
}

/// Counter of a window's frames. The framework draws one for every answer of the X server to its requests for a refresh.
pub struct Frames {
    connection: RustConnection,
    count: usize,
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Frames {
    /// Frames so far.
    pub fn count(&mut self) -> usize {
        // behind the answer to a question, all that was told before it is here
        self.connection.get_input_focus().expect("asked").reply().expect("answered");
        while let Some(event) = self.connection.poll_for_event().expect("the X server is there") {
            let Event::PresentCompleteNotify(event) = event else { continue };
            self.count += usize::from(event.kind == CompleteKind::NOTIFY_MSC);
        }
        self.count
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let handle = self.plugin.instance.plugin_handle();
        if let Some(gui) = handle.get_extension::<PluginGui>() {
            gui.destroy(&handle);
        }
        // the connection may be gone, and with it the window
        let _ = self.screen.connection.destroy_window(self.parent);
        let _ = self.screen.connection.flush();
        // the window's thread is not waited for by anyone else; while it ends, the process must not
        let start = Instant::now();
        while threads() > self.threads && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(std::thread::panicking() || threads() <= self.threads, "a closed window has left a thread");
    }
}
