//! The client of Autobahn's fuzzing server: asks how many cases there are, echoes in each, and asks for the reports.

use std::sync::Arc;
use std::time::Duration;

use callboard::Handle;
use callboard::client::{ConnectError, Session};
use callboard::websocket::{Compression, Settings, WebSocket, WebSocketError};

use crate::Options;

/// One case: echoes until it ends, however it does. The report judges that.
async fn echo(mut socket: WebSocket) -> Result<(), WebSocketError> {
    while let Some(message) = socket.next().await? {
        socket.send(message).await?;
    }
    Ok(())
}

pub(crate) async fn run(handle: Handle, options: Options) -> callboard::Result {
    let (_, base) = options.requests.into_iter().next().ok_or("the URL of the fuzzing server is needed")?;
    let session = Session::new(handle);
    let largest = 64 * 1024 * 1024;
    let compression = Some(Compression::default());
    let settings = Settings { max_message: largest, max_frame: largest, compression, ..Settings::default() };
    let settings = Arc::new(settings);
    let open = async |path: &str| -> Result<WebSocket, ConnectError> {
        let url = format!("{}{path}", base.trim_end_matches('/'));
        session.websocket(url).settings(Arc::clone(&settings)).timeout(Duration::from_secs(30)).await
    };

    let mut socket = open("/getCaseCount").await?;
    let count: u32 = socket.next_text().await?.ok_or("no number of cases")?.trim().parse()?;
    drop(socket);
    for case in 1..=count {
        let socket = open(&format!("/runCase?case={case}&agent={}", options.agent)).await?;
        if let Err(error) = echo(socket).await {
            println!("case {case}: {error}");
        }
    }
    let mut socket = open(&format!("/updateReports?agent={}", options.agent)).await?;
    while let Ok(Some(_)) = socket.next().await {}
    println!("{count} cases");
    Ok(())
}
