//! Who a session says that it comes from: tokens fetched for many requests at once, and the entries of a netrc.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use callboard::client::{Netrc, Session, Token, TokenError, TokenSource};
use callboard::runtime::BoxFuture;
use callboard::web::{App, Redirect, Request, Response, get, post};
use callboard::{Status, header};

use crate::world::{Served, World, scenarios};

scenarios!(
    a_refused_token_is_fetched_anew_once_for_all,
    a_token_comes_from_the_server_that_it_is_for,
    a_netrc_speaks_for_the_host_that_it_names,
);

/// Takes one token at a time, which a login changes.
#[derive(Clone, Default)]
struct Door {
    valid: Arc<AtomicU32>,
    logins: Arc<AtomicU32>,
    seen: Arc<Mutex<Vec<Option<String>>>>,
}

impl Door {
    async fn serve(&self, world: &World) -> Served {
        let (enter, login) = (self.clone(), self.clone());
        let enter = async move |request: Request| {
            let said = request.headers().text(header::AUTHORIZATION).map(str::to_owned);
            let is_right = said == Some(format!("Bearer token-{}", enter.valid.load(Ordering::SeqCst)));
            enter.seen.lock().unwrap().push(said);
            if is_right { Response::new("in") } else { Response::default().with_status(Status::UNAUTHORIZED) }
        };
        let login = async move |request: Request| {
            assert_eq!(request.headers().text(header::AUTHORIZATION), Some("Basic dTpw"));
            login.logins.fetch_add(1, Ordering::SeqCst);
            format!("token-{}", login.valid.load(Ordering::SeqCst))
        };
        world.serve(App::new().route("/", get(enter)).route("/login", post(login))).await
    }

    /// From now on another token is right.
    fn turn(&self) {
        self.valid.fetch_add(1, Ordering::SeqCst);
    }

    fn logins(&self) -> u32 {
        self.logins.load(Ordering::SeqCst)
    }
}

/// Logs in by a session, which may be the one that the tokens are for.
#[derive(Clone, Debug, Default)]
struct Login {
    session: Arc<Mutex<Option<Session>>>,
    url: String,
}

impl TokenSource for Login {
    fn fetch(&self, _: Option<&Token>) -> BoxFuture<'static, Result<Token, TokenError>> {
        let request = self.session.lock().unwrap().as_ref().unwrap().post(&self.url).basic_auth("u", "p");
        Box::pin(async move { Ok(Token::bearer(&request.await?.error_for_status()?.text().await?)?) })
    }
}

async fn all(mut futures: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn a_refused_token_is_fetched_anew_once_for_all(world: World) {
    let door = Door::default();
    let served = door.serve(&world).await;
    let login = Login { url: served.url("/login"), ..Login::default() };
    *login.session.lock().unwrap() = Some(world.session());
    let builder = Session::builder(world.client.clone()).connections_per_host(4);
    let session = builder.tokens(served.url("/"), login.clone()).unwrap().build();
    for expected in 1..=3 {
        let mut visits: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        for _ in 0..24 {
            let request = session.get(served.url("/")).send();
            visits.push(Box::pin(async {
                let response = request.await.unwrap();
                assert_eq!((response.status(), response.text().await.unwrap().as_str()), (Status::OK, "in"));
            }));
        }
        all(visits).await;
        assert_eq!(door.logins(), expected);
        door.turn();
    }
    // Nothing but the three tokens was ever sent, and no request more than twice.
    let seen = std::mem::take(&mut *door.seen.lock().unwrap());
    assert!(seen.len() <= 24 * 5, "{}", seen.len());
    let kinds: BTreeSet<_> = seen.into_iter().map(|said| said.unwrap()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [0, 1, 2].map(|number| format!("Bearer token-{number}")));
    login.session.lock().unwrap().take();
    drop(session);
    served.end().await;
}

async fn a_token_comes_from_the_server_that_it_is_for(world: World) {
    let door = Door::default();
    let served = door.serve(&world).await;
    let login = Login { url: served.url("/login"), ..Login::default() };
    // No connection is held while a token is fetched: one is enough for both.
    let builder = Session::builder(world.client.clone()).connections(1);
    let session = builder.tokens(served.url("/"), login.clone()).unwrap().build();
    *login.session.lock().unwrap() = Some(session.clone());
    for expected in 1..=2 {
        assert_eq!(session.get(served.url("/")).await.unwrap().text().await.unwrap(), "in");
        assert_eq!((door.logins(), session.snapshot().open()), (expected, 1));
        door.turn();
    }
    login.session.lock().unwrap().take();
    drop(session);
    served.end().await;
}

async fn a_netrc_speaks_for_the_host_that_it_names(world: World) {
    let app = |target: Option<String>| {
        let says =
            async |request: Request| request.headers().text(header::AUTHORIZATION).unwrap_or("nobody").to_owned();
        let leads = async move || Redirect::to(target.as_deref().unwrap_or("/"));
        App::new().route("/", get(says)).route("/away", get(leads))
    };
    let target = world.serve(app(None)).await;
    let served = world.serve(app(Some(target.url("/")))).await;
    let host = served.base.strip_prefix("http://").unwrap().split(':').next().unwrap().to_owned();
    let file = format!("machine {host} login me password secret\ndefault login anyone password guest");
    let session = |text: &str| Session::builder(world.client.clone()).netrc(Netrc::parse(text).unwrap()).build();
    let ask = async |session: &Session, url: String| session.get(url).await.unwrap().text().await.unwrap();
    let (named, default) = (session(&file), session("default login anyone password guest"));
    assert_eq!(ask(&named, served.url("/")).await, "Basic bWU6c2VjcmV0");
    assert_eq!(ask(&default, served.url("/")).await, "Basic YW55b25lOmd1ZXN0");
    // Led to another origin: what names the host, but not what is for anyone.
    assert_eq!(ask(&named, served.url("/away")).await, "Basic bWU6c2VjcmV0");
    assert_eq!(ask(&default, served.url("/away")).await, "nobody");
    drop((named, default));
    served.end().await;
    target.end().await;
}
