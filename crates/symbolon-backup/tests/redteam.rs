//! What somebody tries who has the storage, and knows nothing but what stands in the clear; and what no other test would miss.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

#[path = "redteam/attacks.rs"]
mod attacks;
#[path = "redteam/exit.rs"]
mod exit;
#[path = "redteam/export.rs"]
mod export;
#[path = "redteam/form.rs"]
mod form;
#[path = "redteam/tools.rs"]
mod tools;
#[path = "backup/world.rs"]
mod world;
