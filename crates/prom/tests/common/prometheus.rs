//! A Prometheus for a test.

use std::{
    fs, io,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serinus_prom::Client;
use tempfile::TempDir;

/// A Prometheus of its own, with a scratch folder and a port from the kernel; ended when dropped.
pub(crate) struct Prometheus {
    child: Child,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one with a configuration of its web server, and waits until the client made for its port gets an
    /// answer. None, and a word about it, if there is no Prometheus here.
    pub(crate) async fn start(web: &str, client: impl Fn(u16) -> Client) -> Option<Self> {
        for _ in 0..STARTS {
            match Self::launch(web) {
                Ok(mut prometheus) => {
                    let client = client(prometheus.port);
                    if prometheus.answers(&client).await {
                        return Some(prometheus);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    println!("skipped: prometheus not found");
                    return None;
                }
                Err(error) => panic!("cannot start prometheus: {error}"),
            }
        }
        panic!("prometheus did not become ready in {STARTS} starts");
    }

    fn launch(web: &str) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, "global: {}\n")?;
        let web_config = folder.path().join("web.yml");
        fs::write(&web_config, web)?;
        // Between here and the start somebody else may take the port; then it is tried again.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--web.config.file={}", web_config.display()))
            .args(["--web.enable-remote-write-receiver", "--log.level=error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, port, _folder: folder })
    }

    async fn answers(&mut self, client: &Client) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            if client.query("1", None).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const STARTS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(20);
