//! A server that speaks `flagd.sync.v1` as a test makes it: frame by frame, so that it can also speak it wrongly.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests may panic")]

use std::{io, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, SendStream, server};
use http::{HeaderMap, HeaderValue, Response, request::Parts};
use serinus_flags::{EventKind, Events};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

/// It ends when it is dropped, and with it every connection.
pub(crate) struct Server {
    pub(crate) address: String,
    calls: mpsc::UnboundedReceiver<Call>,
    is_frozen: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// Somebody who calls, and what he is told.
pub(crate) struct Call {
    pub(crate) asked: Parts,
    /// The message, without the five bytes before it.
    pub(crate) request: Vec<u8>,
    respond: server::SendResponse<Bytes>,
    stream: Option<SendStream<Bytes>>,
}

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// What is done with a connection before anybody speaks on it.
pub(crate) type Secure = Arc<
    dyn Fn(Box<dyn Io>) -> futures_util::future::BoxFuture<'static, io::Result<Box<dyn Io>>> + Send + Sync,
>;

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Arc::new(|stream| Box::pin(async { Ok(stream) }))).await
    }

    pub(crate) async fn start_with(secure: Secure) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self::serve(address, secure, Listener::Tcp(listener))
    }

    pub(crate) fn start_at(path: &Path) -> Self {
        let listener = Listener::Unix(UnixListener::bind(path).unwrap());
        Self::serve(
            format!("unix:{}", path.display()),
            Arc::new(|stream| Box::pin(async { Ok(stream) })),
            listener,
        )
    }

    fn serve(address: String, secure: Secure, listener: Listener) -> Self {
        let (tell, calls) = mpsc::unbounded_channel();
        let (is_frozen, frozen) = watch::channel(false);
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok(stream) = listener.accept().await {
                let (tell, frozen, secure) = (tell.clone(), frozen.clone(), Arc::clone(&secure));
                connections.spawn(async move {
                    if let Ok(stream) = secure(stream).await {
                        converse(stream, tell, frozen).await;
                    }
                });
            }
        });
        Self { address, calls, is_frozen, accepting }
    }

    /// The next one who calls.
    pub(crate) async fn call(&mut self) -> Call {
        timeout(PATIENCE, self.calls.recv()).await.expect("somebody should have called").unwrap()
    }

    /// Gives the next one who calls a document. The stream is open as long as what is returned.
    pub(crate) async fn answer(&mut self, document: &str) -> Call {
        let mut call = self.call().await;
        call.says(document);
        call
    }

    /// Gives everybody who calls a document until the flags are ready. The streams are open as long as what is returned.
    pub(crate) async fn answer_until_ready(&mut self, document: &str, events: &mut Events) -> Vec<Call> {
        let mut open = Vec::new();
        let ready = async {
            loop {
                tokio::select! {
                    call = self.calls.recv() => {
                        let mut call = call.unwrap();
                        call.says(document);
                        open.push(call);
                    }
                    event = events.next() => if event.unwrap().kind == EventKind::Ready { return },
                }
            }
        };
        timeout(PATIENCE, ready).await.expect("the flags should have become ready");
        open
    }

    /// Whether nobody calls for this long.
    pub(crate) async fn is_left_alone_for(&mut self, time: Duration) -> bool {
        timeout(time, self.calls.recv()).await.is_err()
    }

    /// From now on nothing is read from connections, nor written to them; they stay open.
    pub(crate) fn freeze(&self) {
        self.is_frozen.send_replace(true);
    }

    pub(crate) fn thaw(&self) {
        self.is_frozen.send_replace(false);
    }
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    async fn accept(&self) -> io::Result<Box<dyn Io>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse(stream: Box<dyn Io>, tell: mpsc::UnboundedSender<Call>, mut frozen: watch::Receiver<bool>) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = froze(&mut frozen) => std::future::pending().await,
        };
        let Some(Ok((request, respond))) = accepted else { return };
        let (asked, mut body) = request.into_parts();
        let tell = tell.clone();
        tokio::spawn(async move {
            let mut request = Vec::new();
            while let Some(Ok(chunk)) = body.data().await {
                request.extend_from_slice(&chunk);
            }
            let request = request.split_off(request.len().min(5));
            let _ = tell.send(Call { asked, request, respond, stream: None });
        });
    }
}

/// A connection that was there when the server froze stays as it is for ever.
async fn froze(frozen: &mut watch::Receiver<bool>) {
    if frozen.wait_for(|is_frozen| *is_frozen).await.is_err() {
        std::future::pending().await
    }
}

impl Call {
    /// The value that was sent under this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.asked.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// One message with a document.
    pub(crate) fn says(&mut self, document: &str) {
        self.frame(&text(1, document));
    }

    /// One message with a document and attributes for everybody; of these the texts of names and values.
    pub(crate) fn says_with(&mut self, document: &str, context: &[(&str, &str)]) {
        let mut fields = Vec::new();
        for (name, value) in context {
            let entry = [text(1, name), delimited(2, &text(3, value))].concat();
            fields.extend(delimited(1, &entry));
        }
        self.frame(&[text(1, document), delimited(2, &fields)].concat());
    }

    /// One message of these bytes.
    pub(crate) fn frame(&mut self, message: &[u8]) {
        let length = u32::try_from(message.len()).unwrap();
        self.raw(&[&[0][..], &length.to_be_bytes(), message].concat());
    }

    /// These bytes, whatever they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if let Some(stream) = self.stream_of(200, GRPC) {
            let _ = stream.send_data(Bytes::copy_from_slice(bytes), false);
        }
    }

    /// An answer that is none of gRPC's.
    pub(crate) fn page(mut self, status: u16, page: &str) {
        if let Some(stream) = self.stream_of(status, "text/html") {
            let _ = stream.send_data(Bytes::copy_from_slice(page.as_bytes()), true);
        }
    }

    /// Ends the stream, or refuses it, with the number of a code of gRPC.
    pub(crate) fn ends(mut self, code: u16, text: &str) {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from(code));
        trailers.insert("grpc-message", HeaderValue::from_str(text).unwrap());
        if let Some(stream) = self.stream_of(200, GRPC) {
            let _ = stream.send_trailers(trailers);
        }
    }

    /// Breaks the stream off.
    pub(crate) fn breaks(mut self) {
        if let Some(stream) = self.stream_of(200, GRPC) {
            stream.send_reset(Reason::INTERNAL_ERROR);
        }
    }

    /// Nothing if who called hung up: then nothing that is said is heard.
    fn stream_of(&mut self, status: u16, kind: &'static str) -> Option<&mut SendStream<Bytes>> {
        if self.stream.is_none() {
            let answer = Response::builder().status(status).header("content-type", kind).body(()).unwrap();
            self.stream = self.respond.send_response(answer, false).ok();
        }
        self.stream.as_mut()
    }
}

/// A field that is a text.
fn text(field: u8, text: &str) -> Vec<u8> {
    delimited(field, text.as_bytes())
}

/// A field that has a length.
fn delimited(field: u8, bytes: &[u8]) -> Vec<u8> {
    let mut written = vec![field << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        written.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    written.push(length as u8);
    written.extend_from_slice(bytes);
    written
}

const GRPC: &str = "application/grpc";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
