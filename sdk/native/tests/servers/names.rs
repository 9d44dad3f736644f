//! A name server at a port of this machine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// How much of an answer UDP carries (RFC 1035 §2.3.4).
const UDP_BYTES: usize = 512;

/// How much of one TCP carries (RFC 1035 §4.2.2).
const TCP_BYTES: usize = 65_535;

/// Gives the answer to a question that may be so many bytes long.
pub(crate) trait Answers:
    Fn(&[u8], usize) -> Option<Vec<u8>> + Send + Sync + 'static
{
}

impl<F: Fn(&[u8], usize) -> Option<Vec<u8>> + Send + Sync + 'static> Answers for F {}

/// Answers questions over UDP and TCP; where there is no answer, it keeps silent.
pub(crate) async fn serve(answers: impl Answers) -> SocketAddr {
    let (at, tcp, udp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = tcp.local_addr().unwrap();
        // Somebody may send from the same port.
        if let Ok(udp) = UdpSocket::bind(at).await {
            break (at, tcp, udp);
        }
    };
    let answers = Arc::new(answers);
    let over_tcp = Arc::clone(&answers);
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
            if let Some(answer) = answers(&buffer[..length], UDP_BYTES) {
                udp.send_to(&answer, from).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        loop {
            let (socket, _) = tcp.accept().await.unwrap();
            // Which ends when the client has heard enough.
            tokio::spawn(converse(socket, Arc::clone(&over_tcp)));
        }
    });
    at
}

/// Answers one question after the other.
async fn converse(mut socket: TcpStream, answers: Arc<impl Answers>) -> io::Result<()> {
    loop {
        let length = socket.read_u16().await?;
        let mut question = vec![0; length.into()];
        socket.read_exact(&mut question).await?;
        if let Some(answer) = answers(&question, TCP_BYTES) {
            socket.write_u16(answer.len().try_into().unwrap()).await?;
            socket.write_all(&answer).await?;
        }
    }
}
