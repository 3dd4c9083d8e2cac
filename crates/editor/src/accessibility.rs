//! Accessibility tree of an open window, handed to assistive technology such as a screen reader: AT-SPI on Linux.
//!
//! The tree is computed only while assistive technology listens. The connection and its threads are started by the first
//! window of the process and shared by all; without a session bus there is neither. Nothing here runs on the audio thread.

use accesskit_unix::Adapter;
use egui::accesskit::{
    ActionHandler, ActionRequest, ActivationHandler, DeactivationHandler, Node, Role, TreeUpdate,
};
use egui::{Context, Event, FullOutput, RawInput};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shortest time between two trees: meters that move would flood the bus.
const TREE_INTERVAL: Duration = Duration::from_millis(100);

/// Requests of assistive technology, which come from its thread.
#[derive(Debug, Default)]
struct Requests {
    /// Assistive technology listens.
    listens: AtomicBool,
    /// It has begun to since the last frame, and knows no tree.
    has_begun: AtomicBool,
    /// The window has to be drawn for it.
    is_waiting: AtomicBool,
    actions: Mutex<Vec<ActionRequest>>,
}

impl Requests {
    fn set_listening(&self, listens: bool) {
        self.has_begun.store(listens, Ordering::Release);
        self.listens.store(listens, Ordering::Release);
        self.is_waiting.store(true, Ordering::Release);
    }
}

/// Handler of one window's requests.
struct Handler(Arc<Requests>);

impl ActivationHandler for Handler {
    fn request_initial_tree(&mut self) -> Option<TreeUpdate> {
        // the next frame has it
        self.0.set_listening(true);
        None
    }
}

impl DeactivationHandler for Handler {
    fn deactivate_accessibility(&mut self) {
        self.0.set_listening(false);
    }
}

impl ActionHandler for Handler {
    fn do_action(&mut self, request: ActionRequest) {
        lock(&self.0.actions).push(request);
        self.0.is_waiting.store(true, Ordering::Release);
    }
}

/// Connection of an open window.
struct Connection {
    adapter: Adapter,
    /// Title of the window.
    title: String,
    has_focus: bool,
}

/// An open window as assistive technology sees it; dropping it takes the window out of its sight.
pub(super) struct Accessibility {
    requests: Arc<Requests>,
    /// `None` once the window is closed: egui's context, which has the other end, may outlive it.
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Accessibility {
    /// Offers the window drawn with `ctx`. `None` if the system has no thread left.
    pub(super) fn open(ctx: &Context) -> Option<Self> {
        let requests = Arc::<Requests>::default();
        let handler = || Handler(Arc::clone(&requests));
        let (activation, action, deactivation) = (handler(), handler(), handler());
        // on a thread of its own: those that are shared take its name, and what fails there is no window's end
        let connect = move || Adapter::new(activation, action, deactivation);
        let thread = std::thread::Builder::new().name("stemlink access".into()).spawn(connect).ok()?;
        let adapter = thread.join().ok()?;
        let connection = Connection { adapter, title: String::new(), has_focus: false };
        let connection = Arc::new(Mutex::new(Some(connection)));
        ctx.add_plugin(TreeHook {
            requests: Arc::clone(&requests),
            connection: Arc::clone(&connection),
            sent: None,
            is_due: true,
        });
        Some(Self { requests, connection })
    }

    /// Sets the window's title, and whether it has the keyboard.
    pub(super) fn set_window(&self, title: impl FnOnce() -> String, has_focus: bool) {
        if !self.requests.listens.load(Ordering::Acquire) {
            return;
        }
        let mut connection = lock(&self.connection);
        let Some(open) = connection.as_mut() else { return };
        open.title = title();
        if std::mem::replace(&mut open.has_focus, has_focus) != has_focus {
            let told = catch_unwind(AssertUnwindSafe(|| open.adapter.update_window_focus_state(has_focus)));
            if told.is_err() {
                *connection = None;
            }
        }
    }

    /// Returns a function that is true while the window has to be drawn for assistive technology.
    pub(super) fn is_waiting(&self) -> impl Fn() -> bool + Send + 'static {
        let requests = Arc::clone(&self.requests);
        move || requests.is_waiting.load(Ordering::Acquire)
    }
}

impl Drop for Accessibility {
    fn drop(&mut self) {
        *lock(&self.connection) = None;
    }
}

/// Part of egui's context that passes requests in and trees out.
struct TreeHook {
    requests: Arc<Requests>,
    connection: Arc<Mutex<Option<Connection>>>,
    /// The last tree that was sent, and its time.
    sent: Option<(TreeUpdate, Instant)>,
    /// A tree may be sent with this frame.
    is_due: bool,
}

impl egui::Plugin for TreeHook {
    fn debug_name(&self) -> &'static str {
        "accessibility"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        // cleared before anything is read: what comes later has another frame drawn
        self.requests.is_waiting.store(false, Ordering::Release);
        let actions = std::mem::take(&mut *lock(&self.requests.actions));
        if self.requests.listens.load(Ordering::Acquire) {
            ctx.enable_accesskit();
        } else {
            ctx.disable_accesskit();
            self.sent = None;
        }
        if self.requests.has_begun.swap(false, Ordering::AcqRel) {
            self.sent = None;
        }
        let is_old = self.sent.as_ref().is_none_or(|(_, time)| time.elapsed() >= TREE_INTERVAL);
        self.is_due = is_old || !actions.is_empty();
        input.events.extend(actions.into_iter().map(Event::AccessKitActionRequest));
    }

    fn output_hook(&mut self, _: &Context, output: &mut FullOutput) {
        let Some(tree) = output.platform_output.accesskit_update.take() else { return };
        let mut connection = lock(&self.connection);
        let Some(Connection { adapter, title, .. }) = connection.as_mut() else { return };
        let tree = with_values_in_words(tree, title);
        if self.sent.as_ref().is_some_and(|(sent, _)| *sent == tree) {
            return;
        }
        if !self.is_due {
            // the same or a newer one comes with another frame
            self.requests.is_waiting.store(true, Ordering::Release);
            return;
        }
        self.sent = Some((tree.clone(), Instant::now()));
        let sent = catch_unwind(AssertUnwindSafe(|| adapter.update_if_active(|| tree)));
        if sent.is_err() {
            // the window goes on without
            *connection = None;
        }
    }
}

/// Names the window, and puts values with their units where AT-SPI passes them on: its values are bare numbers.
fn with_values_in_words(mut tree: TreeUpdate, title: &str) -> TreeUpdate {
    // as they are, their order is no tree's own
    tree.nodes.sort_by_key(|(id, _)| id.0);
    let root = tree.tree.as_ref().map(|tree| tree.root);
    for (id, node) in &mut tree.nodes {
        if Some(*id) == root {
            node.set_label(title);
        } else if let Some(words) = described(node) {
            node.set_description(words);
        }
    }
    tree
}

/// Returns a node's description with its value before it; `None` where AT-SPI has the value as name or text.
fn described(node: &Node) -> Option<String> {
    let has_text = matches!(node.role(), Role::Label | Role::TextInput | Role::TextRun);
    let value = node.value().filter(|value| !has_text && !value.is_empty())?;
    Some(match node.description() {
        Some(meaning) => format!("{value}. {meaning}"),
        None => value.into(),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // what is inside is whole at every moment
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::accesskit::{Action, NodeId, TreeId, TreeInfo};

    fn node(role: Role, value: &str, meaning: Option<&str>) -> Node {
        let mut node = Node::new(role);
        node.set_value(value);
        if let Some(meaning) = meaning {
            node.set_description(meaning);
        }
        node
    }

    #[test]
    fn values_come_with_their_units_and_before_what_they_mean() {
        let nodes = vec![
            (NodeId(0), Node::new(Role::Window)),
            (NodeId(1), node(Role::SpinButton, "\u{2212}18.0 dBFS", None)),
            (NodeId(2), node(Role::Slider, "+1.0 dB", Some("What if?"))),
            (NodeId(3), node(Role::Label, "LUFS", None)),
        ];
        let info = TreeInfo::new(NodeId(0));
        let tree = TreeUpdate { nodes, tree: Some(info), tree_id: TreeId::ROOT, focus: NodeId(0) };
        let tree = with_values_in_words(tree, "Stemlink Stem: Drums");
        assert_eq!(tree.nodes[0].1.label(), Some("Stemlink Stem: Drums"));
        let words = |index: usize| tree.nodes[index].1.description();
        assert_eq!(words(1), Some("\u{2212}18.0 dBFS"));
        assert_eq!(words(2), Some("+1.0 dB. What if?"));
        assert_eq!(words(3), None, "a label's value is its name");
    }

    /// A window with a button, to which somebody may listen.
    struct TestWindow {
        ctx: Context,
        requests: Arc<Requests>,
        accessibility: Accessibility,
        button: Option<NodeId>,
        clicks: usize,
        words: &'static str,
    }

    impl TestWindow {
        fn open() -> Self {
            let ctx = Context::default();
            let accessibility = Accessibility::open(&ctx).expect("there is a thread");
            let requests = Arc::clone(&accessibility.requests);
            Self { ctx, requests, accessibility, button: None, clicks: 0, words: "0.0 dB" }
        }

        /// Draws a frame; returns the time of the last tree that was sent.
        fn frame(&mut self) -> Option<Instant> {
            let mut output = self.ctx.run_ui(RawInput::default(), |ui| {
                let button = ui.button("Reset");
                self.clicks += usize::from(button.clicked());
                self.button = Some(button.id.accesskit_id());
                ui.label(self.words);
            });
            output.textures_delta.clear();
            assert!(output.platform_output.accesskit_update.take().is_none(), "nobody else gets it");
            let hook = self.ctx.plugin::<TreeHook>();
            let hook = hook.lock();
            hook.sent.as_ref().map(|(_, time)| *time)
        }

        fn is_waiting(&self) -> bool {
            self.accessibility.is_waiting()()
        }
    }

    #[test]
    fn a_tree_is_made_while_somebody_listens_and_sent_when_it_changes_but_not_with_every_frame() {
        let mut window = TestWindow::open();
        let mut handler = Handler(Arc::clone(&window.requests));
        assert_eq!(window.frame(), None, "nobody listens");
        assert!(!window.is_waiting());

        assert!(handler.request_initial_tree().is_none() && window.is_waiting());
        let first = window.frame();
        assert!(first.is_some() && !window.is_waiting(), "an idle window need not be drawn again");
        assert_eq!(window.frame(), first, "nothing has changed");
        assert!(!window.is_waiting());
        window.words = "-1.0 dB";
        assert_eq!(window.frame(), first, "too soon");
        assert!(window.is_waiting(), "what has changed is told later");
        std::thread::sleep(TREE_INTERVAL);
        let second = window.frame();
        assert!(second > first && !window.is_waiting());

        // somebody else, who knows nothing yet
        handler.deactivate_accessibility();
        assert!(handler.request_initial_tree().is_none() && window.is_waiting());
        assert!(window.frame() > second);

        handler.deactivate_accessibility();
        assert!(window.is_waiting());
        assert_eq!(window.frame(), None, "nobody listens any more");
        assert!(!window.is_waiting());
    }

    #[test]
    fn actions_arrive_and_none_after_the_window_is_closed() {
        let mut window = TestWindow::open();
        let mut handler = Handler(Arc::clone(&window.requests));
        handler.request_initial_tree();
        window.frame();
        let target_node = window.button.expect("it is drawn");
        let click =
            || ActionRequest { action: Action::Click, target_tree: TreeId::ROOT, target_node, data: None };
        handler.do_action(click());
        assert!(window.is_waiting());
        window.frame();
        assert_eq!(window.clicks, 1);
        window.words = "closed";
        let TestWindow { ctx, accessibility, .. } = window;
        drop(accessibility);
        let connection = Arc::clone(&ctx.plugin::<TreeHook>().lock().connection);
        assert!(lock(&connection).is_none(), "egui's context has none of it");
    }
}
