//! An in-memory channel pair for two threads of one process: tests, examples, and a first look.

use alloc::vec::Vec;
use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use symbolon_session::Channel;

/// One end of a pair. Frames keep their borders and their order.
pub struct MemoryChannel {
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
    patience: Duration,
}

/// Why a memory channel failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryChannelError {
    /// The other end was dropped.
    #[error("the other end is gone")]
    Gone,
    /// Nothing came in time.
    #[error("nothing came in time")]
    TimedOut,
}

impl MemoryChannel {
    /// Two connected ends, each of which waits at most `patience` for a frame.
    #[must_use]
    pub fn pair(patience: Duration) -> (Self, Self) {
        let ((to_b, from_a), (to_a, from_b)) = (channel(), channel());
        (Self { to: to_b, from: from_b, patience }, Self { to: to_a, from: from_a, patience })
    }
}

impl Channel for MemoryChannel {
    type Error = MemoryChannelError;

    fn send(&mut self, frame: &[u8]) -> Result<(), MemoryChannelError> {
        self.to.send(frame.to_vec()).map_err(|_| MemoryChannelError::Gone)
    }

    fn receive(&mut self) -> Result<Vec<u8>, MemoryChannelError> {
        self.from.recv_timeout(self.patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => MemoryChannelError::TimedOut,
            RecvTimeoutError::Disconnected => MemoryChannelError::Gone,
        })
    }
}
