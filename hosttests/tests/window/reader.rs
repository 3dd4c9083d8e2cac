//! The windows as a screen reader finds them: AT-SPI over a session bus of the test's own, by a client that knows
//! nothing but names, roles and D-Bus.

use crate::{is_drawn, opened, stage};
use hosttests::host::Window;
use hosttests::viewer::eventually;
use hosttests::{MASTER, Plugin, STEM};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use zbus::blocking::{Connection, Proxy, connection, proxy};
use zbus::proxy::CacheProperties;
use zbus::zvariant::OwnedObjectPath;

/// A session bus of its own; it ends when this is dropped.
pub(crate) struct SessionBus {
    process: Child,
    /// Value of `DBUS_SESSION_BUS_ADDRESS` for it.
    pub(crate) address: String,
}

impl SessionBus {
    /// Starts Debian's `dbus-daemon`; `None` where it or the service of AT-SPI (`at-spi2-core`) is missing.
    pub(crate) fn start() -> Option<Self> {
        let service = "/usr/share/dbus-1/services/org.a11y.Bus.service";
        std::fs::exists(service).ok().filter(|is_there| *is_there)?;
        let mut process = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            // what is switched on here is no setting of the user's
            .env("GSETTINGS_BACKEND", "memory")
            .env_remove("AT_SPI_BUS_ADDRESS")
            .env_remove("DISPLAY")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut address = String::new();
        BufReader::new(process.stdout.as_mut()?).read_line(&mut address).ok()?;
        Some(Self { process, address: address.trim().into() })
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        // it is gone either way, and the service of AT-SPI with it
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A screen reader, connected to the bus of AT-SPI.
struct Reader {
    session: Connection,
    bus: Connection,
}

/// An accessible object: the name of its application on the bus, and its path there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, zbus::zvariant::Type)]
struct Accessible {
    application: String,
    path: OwnedObjectPath,
}

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";

/// Roles by their numbers in AT-SPI.
const FRAME: u32 = 23;
const SPIN_BUTTON: u32 = 52;
/// A switch, too, is one.
const TOGGLE_BUTTON: u32 = 62;

impl Reader {
    /// Connects. Applications are not told of it before [`Self::listen`].
    fn connect() -> Self {
        let session = Connection::session().expect("a session bus");
        let service = plain(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus");
        let address: String = service.call("GetAddress", &()).expect("the bus of AT-SPI");
        let bus = connection::Builder::address(address.as_str()).expect("an address").build();
        Self { session, bus: bus.expect("the bus of AT-SPI answers") }
    }

    /// Says to all applications that assistive technology listens, or no longer.
    fn listen(&self, listens: bool) {
        let status = plain(&self.session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Status");
        status.set_property("IsEnabled", listens).expect("applications are told");
    }

    fn proxy<'a>(&'a self, object: &'a Accessible, interface: &'static str) -> Proxy<'a> {
        plain(&self.bus, &object.application, object.path.as_str(), interface)
    }

    /// Children; none if the object has gone meanwhile.
    fn children(&self, object: &Accessible) -> Vec<Accessible> {
        self.proxy(object, ACCESSIBLE).call("GetChildren", &()).unwrap_or_default()
    }

    fn text(&self, object: &Accessible, property: &str) -> String {
        self.proxy(object, ACCESSIBLE).get_property(property).unwrap_or_default()
    }

    fn role(&self, object: &Accessible) -> Option<u32> {
        self.proxy(object, ACCESSIBLE).call("GetRole", &()).ok()
    }

    /// Windows whose titles start with `title`.
    fn windows(&self, title: &str) -> Vec<Accessible> {
        let desktop = Accessible {
            application: "org.a11y.atspi.Registry".into(),
            path: OwnedObjectPath::try_from("/org/a11y/atspi/accessible/root").expect("a path"),
        };
        let windows = self.children(&desktop).into_iter().flat_map(|application| self.children(&application));
        windows.filter(|window| self.text(window, "Name").starts_with(title)).collect()
    }

    /// The object of this role and name below `window`, as soon as it is there.
    fn find(&self, window: &Accessible, role: u32, name: &str) -> Accessible {
        eventually(format!("\"{name}\" with role {role}"), || {
            let mut left = VecDeque::from([window.clone()]);
            while let Some(object) = left.pop_front() {
                if self.text(&object, "Name") == name && self.role(&object) == Some(role) {
                    return Some(object);
                }
                left.extend(self.children(&object));
            }
            None
        })
    }

    fn number(&self, object: &Accessible) -> f64 {
        self.proxy(object, "org.a11y.atspi.Value").get_property("CurrentValue").expect("a value")
    }

    fn set_number(&self, object: &Accessible, number: f64) {
        self.proxy(object, "org.a11y.atspi.Value").set_property("CurrentValue", number).expect("a new value");
    }

    /// Clicks it.
    fn act(&self, object: &Accessible) {
        let done: bool =
            self.proxy(object, "org.a11y.atspi.Action").call("DoAction", &(0_i32)).expect("an action");
        assert!(done);
    }
}

/// A proxy that keeps no values of its own.
fn plain<'a>(bus: &Connection, to: &'a str, path: &'a str, interface: &'static str) -> Proxy<'a> {
    let made = proxy::Builder::new(bus).destination(to).and_then(|to| to.path(path));
    let made = made.and_then(|to| to.interface(interface)).expect("names of D-Bus");
    made.cache_properties(CacheProperties::No).build().expect("a proxy")
}

/// The only window of that title, once it is there.
fn window_of(reader: &Reader, window: &mut Window<'_>, title: &str) -> Accessible {
    eventually(format!("\"{title}\" among the windows"), || {
        window.pass(Duration::from_millis(50));
        let found = reader.windows(title);
        (found.len() == 1).then(|| found[0].clone())
    })
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn over_at_spi_controls_are_found_read_and_set() {
    let (library, screen) = stage();
    let reader = Reader::connect();
    let mut plugin = Plugin::on_track(&library, STEM, "Drums").expect("a plugin");
    let (threshold, on) = (plugin.row("Compressor Threshold"), plugin.row("Compressor On"));
    let mut window = opened(&screen, &mut plugin);
    window.pass(Duration::from_millis(500));
    assert!(reader.windows("Stemlink").is_empty(), "nothing is offered before somebody listens");

    reader.listen(true);
    let frame = window_of(&reader, &mut window, "Stemlink Stem");
    assert_eq!(
        (reader.text(&frame, "Name"), reader.role(&frame)),
        ("Stemlink Stem: Drums".into(), Some(FRAME))
    );

    // read: the same number as the host's, and in words with its unit
    let found = reader.find(&frame, SPIN_BUTTON, "Compressor Threshold");
    let text = |plugin: &mut Plugin| {
        let value = plugin.value(threshold.id);
        plugin.text(threshold.id, value)
    };
    assert!(
        text(window.plugin).starts_with(&format!("{:.1}", reader.number(&found))),
        "{}",
        reader.number(&found)
    );
    assert!(reader.text(&found, "Description").contains("dBFS"), "{}", reader.text(&found, "Description"));

    // set: it is the host's parameter that changes, and what is read afterwards
    reader.set_number(&found, -24.5);
    let set = window.wait(|plugin, _| text(plugin).starts_with("-24.5"));
    assert!(set.is_some(), "{}", text(window.plugin));
    eventually("what was set is read", || (reader.number(&found) == -24.5).then_some(()));

    // click: a switch
    let before = window.plugin.value(on.id);
    let switch = reader.find(&frame, TOGGLE_BUTTON, "Compressor On");
    reader.act(&switch);
    assert!(window.wait(|plugin, _| plugin.value(on.id) != before).is_some(), "the switch is not thrown");

    // an idle window is not drawn, listened to or not
    window.pass(Duration::from_secs(2));
    let mut frames = window.frames();
    window.pass(Duration::from_secs(3));
    assert!(frames.count() <= 3, "{} frames", frames.count());

    // two at once, and each goes when it is closed
    let mut master = Plugin::new(&library, MASTER);
    let mut other = opened(&screen, &mut master);
    let second = window_of(&reader, &mut other, "Stemlink Master");
    reader.act(&reader.find(&second, TOGGLE_BUTTON, "Chain"));
    reader.find(&second, SPIN_BUTTON, "Compressor Threshold");
    drop(other);
    eventually("the Master's window has gone", || reader.windows("Stemlink Master").is_empty().then_some(()));
    assert_eq!(reader.windows("Stemlink Stem"), [frame]);

    reader.listen(false);
    eventually("nothing is offered any more", || reader.windows("Stemlink").is_empty().then_some(()));
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn over_at_spi_windows_open_and_close_as_often_as_without() {
    let (library, screen) = stage();
    let reader = Reader::connect();
    reader.listen(true);
    let mut plugin = Plugin::new(&library, STEM);
    // each waits for its own threads: those of AT-SPI are started once
    for round in 0..40 {
        let mut window = screen.open(&mut plugin, (0, 0));
        match round % 8 {
            0 => drop(window_of(&reader, &mut window, "Stemlink Stem")),
            1 => drop(window.wait(is_drawn).expect("the window is drawn")),
            n => window.pass(Duration::from_millis(n * 10)),
        }
    }
    eventually("no window is left", || reader.windows("Stemlink").is_empty().then_some(()));
}
