//! Draws only what has changed. The framework draws all of a window for every frame, which in software (without a graphics
//! card) takes a third of a core; here the picture stays where it is, and only the places that have changed are drawn
//! again.

mod batch;
mod egl;
mod plate;

use super::damage::Shown;
use batch::Batch;
use egl::Egl;
use egui::epaint::{ClippedShape, ImageDelta};
use egui::{Context, FullOutput, PaintCallback, Shape};
use egui_glow::CallbackFn;
use nice_plug_egui::baseview::WindowContext;
use plate::Plate;
use std::sync::Arc;

/// Between what a view draws and the framework's painter.
pub(super) struct Canvas {
    shown: Shown,
    plate: Arc<Plate>,
}

impl Canvas {
    /// Has everything that is drawn in the window drawn here.
    pub(super) fn install(ctx: &Context, window: &WindowContext) {
        // what is drawn again is chosen here, with more care for soft edges
        ctx.tessellation_options_mut(|options| options.coarse_tessellation_culling = false);
        let plate = Arc::new(Plate::new(Egl::of(window)));
        ctx.add_plugin(Self { shown: Shown::default(), plate });
    }
}

impl egui::Plugin for Canvas {
    fn debug_name(&self) -> &'static str {
        "stemlink canvas"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        if self.plate.is_broken() {
            return;
        }
        // letters may be elsewhere in a new texture
        let repainted = output.textures_delta.set.values().flatten().any(ImageDelta::is_whole);
        if repainted || self.plate.was_lost() {
            self.shown = Shown::default();
        }
        let (window, scale) = (ctx.viewport_rect(), output.pixels_per_point);
        let changed = self.shown.follow(std::mem::take(&mut output.shapes), window, scale);
        let whole = changed.first() == Some(&window);
        let mut batch = Batch::default();
        for place in changed {
            let (shapes, is_covered) = self.shown.within(place);
            if !is_covered {
                batch.wipe(place, scale);
            }
            batch.add(&ctx.tessellate(shapes, scale), scale);
        }
        let (plate, ctx) = (Arc::clone(&self.plate), ctx.clone());
        let draw = CallbackFn::new(move |info, painter| {
            if !plate.draw(painter, info.screen_size_px, scale, &batch, whole) {
                ctx.request_repaint();
            }
        });
        let callback = PaintCallback { rect: window, callback: Arc::new(draw) };
        output.shapes.push(ClippedShape::new(window, Shape::Callback(callback)));
    }
}
