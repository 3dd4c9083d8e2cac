//! The host: [`Library`] is what a host scans, [`Plugin`] an instance in it. What a host says to an instance is split
//! by occasion: `plugin` (being made, activated, asked), `process` (audio), `state`, `window`; `worst` has what the worst
//! host does.

mod library;
mod plugin;
mod process;
mod state;
mod vst3;
#[cfg(target_os = "linux")]
mod window;
mod worst;

pub use library::{Descriptor, Library};
pub use plugin::{Plugin, Row};
pub use process::{Call, Change, Event, Player, Status, standing, transport};
pub use state::{edited, with_noise, with_references, without_identity};
pub use vst3::Vst3;
#[cfg(target_os = "linux")]
pub use window::{Frames, Picture, Screen, Server, Window};
pub use worst::{SMALL_STACK, WORST_HOST, is_worst, on_a_small_stack};

use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::track_info::{HostTrackInfo, HostTrackInfoImpl, TrackInfo, TrackInfoWriter};
use clack_host::prelude::*;
use clack_host::utils::Color;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The track that every instance is on that is not told otherwise: its name and colour (red, green, blue).
pub const TRACK: (&str, [u8; 3]) = ("Lead Vocals", [230, 120, 40]);

/// Requests of the plugin to the host, counted.
#[derive(Clone, Default)]
struct Asked {
    restarts: Arc<AtomicU32>,
    callback: Arc<AtomicBool>,
    rescans: Arc<AtomicU32>,
    flush: Arc<AtomicBool>,
}

impl SharedHandler<'_> for Asked {
    fn request_restart(&self) {
        self.restarts.fetch_add(1, Ordering::SeqCst);
    }

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.callback.store(true, Ordering::SeqCst);
    }
}

impl HostParamsImplShared for Asked {
    fn request_flush(&self) {
        self.flush.store(true, Ordering::SeqCst);
    }
}

impl HostGuiImpl for Asked {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Ok(())
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}

/// The host's side of the main thread.
struct Main {
    asked: Asked,
    /// The track's name.
    track: String,
}

impl MainThreadHandler<'_> for Main {}

impl HostParamsImplMainThread for Main {
    fn rescan(&self, flags: ParamRescanFlags) {
        if flags.contains(ParamRescanFlags::VALUES) {
            self.asked.rescans.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}

impl HostTrackInfoImpl for Main {
    fn get<'a>(&'a self, writer: &mut TrackInfoWriter<'_, 'a>) {
        let (name, [red, green, blue]) = (&self.track, TRACK.1);
        let colour = Color { red, green, blue, alpha: 255 };
        writer.set(&TrackInfo::new().with_name(Some(name.as_bytes())).with_color(Some(colour)));
    }
}

struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Asked;
    type MainThread<'a> = Main;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Asked) {
        builder.register::<HostParams>().register::<HostGui>().register::<HostTrackInfo>();
    }
}
