//! A WebSocket that is listened to. The platform has no way to slow a host down: what comes is taken at once, and waits
//! here, within bounds. Past them the connection is given up: what was not taken comes again over the next one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use worker::js_sys::{ArrayBuffer, Uint8Array};
use worker::wasm_bindgen::JsCast as _;
use worker::wasm_bindgen::closure::Closure;
use worker::{WebSocket, web_sys};

/// The most bytes that wait here, beside one frame. With what waits in the driver it is about 8 MB.
const MAX_WAITING_BYTES: usize = 2 << 20;

/// What comes over a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Frame(Vec<u8>),
    Closed,
}

/// What has come and was not asked for yet.
#[derive(Debug, Default)]
struct Inbox {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    is_closed: bool,
    waker: Option<Waker>,
}

impl Inbox {
    /// Whether more may come after this.
    fn push(&mut self, frame: Vec<u8>) -> bool {
        if !self.is_closed {
            self.bytes += frame.len();
            self.frames.push_back(frame);
            self.is_closed = self.bytes > MAX_WAITING_BYTES;
        }
        self.wake();
        !self.is_closed
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What comes next: the end once everything before it was asked for.
    fn poll(&mut self, context: &Context<'_>) -> Poll<Received> {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.len();
            return Poll::Ready(Received::Frame(frame));
        }
        if self.is_closed {
            return Poll::Ready(Received::Closed);
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

type Listener<E> = Closure<dyn FnMut(E)>;

/// An open WebSocket. It is closed when it is dropped.
pub(crate) struct Socket {
    stream: web_sys::WebSocket,
    inbox: Rc<RefCell<Inbox>>,
    on_message: Listener<web_sys::MessageEvent>,
    on_end: Listener<web_sys::Event>,
}

impl Socket {
    /// Listens to a connection, which nobody has accepted yet.
    pub(crate) fn listen(websocket: &WebSocket) -> worker::Result<Self> {
        let stream: web_sys::WebSocket = websocket.as_ref().clone();
        // As Blobs, which are the standard, messages could not be read at once.
        stream.set_binary_type(web_sys::BinaryType::Arraybuffer);
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let listener = Self {
            on_message: Closure::new({
                let (inbox, stream) = (inbox.clone(), stream.clone());
                move |event: web_sys::MessageEvent| {
                    if !inbox.borrow_mut().push(bytes(&event)) {
                        close(&stream);
                    }
                }
            }),
            on_end: Closure::new({
                let inbox = inbox.clone();
                move |_| inbox.borrow_mut().close()
            }),
            inbox,
            stream,
        };
        let Self {
            stream,
            on_message,
            on_end,
            ..
        } = &listener;
        stream.add_event_listener_with_callback("message", on_message.as_ref().unchecked_ref())?;
        for end in ["close", "error"] {
            stream.add_event_listener_with_callback(end, on_end.as_ref().unchecked_ref())?;
        }
        websocket.accept()?;
        Ok(listener)
    }

    /// What comes next.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Received> {
        self.inbox.borrow_mut().poll(context)
    }

    /// How many bytes have come and were not asked for.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.inbox.borrow().bytes
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let message = self.on_message.as_ref().unchecked_ref();
        // What is not listened to any more has nothing to be removed.
        let _ = self
            .stream
            .remove_event_listener_with_callback("message", message);
        for end in ["close", "error"] {
            let on_end = self.on_end.as_ref().unchecked_ref();
            let _ = self.stream.remove_event_listener_with_callback(end, on_end);
        }
        close(&self.stream);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("waiting_bytes", &self.waiting_bytes())
            .finish_non_exhaustive()
    }
}

/// The bytes of a message, of a text too: which is no frame, and is said to be none.
fn bytes(event: &web_sys::MessageEvent) -> Vec<u8> {
    let data = event.data();
    match data.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Uint8Array::new(buffer).to_vec(),
        None => data.as_string().unwrap_or_default().into_bytes(),
    }
}

fn close(stream: &web_sys::WebSocket) {
    // One that is closed already need not be.
    let _ = stream.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(inbox: &mut Inbox) -> Option<Received> {
        match inbox.poll(&Context::from_waker(Waker::noop())) {
            Poll::Ready(received) => Some(received),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_came_before_the_end_comes_before_it() {
        let mut inbox = Inbox::default();
        assert_eq!(next(&mut inbox), None);
        assert!(inbox.push(vec![1]) && inbox.push(vec![2]));
        inbox.close();
        assert!(!inbox.push(vec![3]), "nothing comes after the end");
        for frame in [vec![1], vec![2]] {
            assert_eq!(next(&mut inbox), Some(Received::Frame(frame)));
        }
        assert_eq!(next(&mut inbox), Some(Received::Closed));
        assert_eq!(next(&mut inbox), Some(Received::Closed));
    }

    #[test]
    fn a_flood_ends_the_connection_and_loses_no_frame_from_the_middle() {
        let mut inbox = Inbox::default();
        let frame = || vec![0; MAX_WAITING_BYTES / 4];
        for _ in 0..4 {
            assert!(inbox.push(frame()));
        }
        assert!(!inbox.push(frame()), "as much waits as may");
        assert!(!inbox.push(vec![1]), "what comes then is not taken");
        for _ in 0..5 {
            assert_eq!(next(&mut inbox), Some(Received::Frame(frame())));
        }
        assert_eq!(next(&mut inbox), Some(Received::Closed));
        assert_eq!(inbox.bytes, 0);
    }
}
