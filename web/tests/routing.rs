//! Routes: what matches, in which order, with which parameters, and what is answered where nothing does.

use callboard_web::{
    App, Method, Path, Request, Response, RouteError, Service, StartError, Status, any, get, on, post,
};
use futures_lite::future::block_on;

fn call(service: &Service, method: &str, target: &str) -> Response {
    let method: Method = method.parse().unwrap();
    block_on(service.call(Request::new(method, target).unwrap()))
}

fn text(response: Response) -> String {
    String::from_utf8(block_on(response.bytes(1 << 20)).unwrap().to_vec()).unwrap()
}

fn answer(service: &Service, method: &str, target: &str) -> (u16, String) {
    let response = call(service, method, target);
    (response.status().code(), text(response))
}

fn allow(service: &Service, method: &str, target: &str) -> (u16, String) {
    let response = call(service, method, target);
    (response.status().code(), response.headers().text("Allow").unwrap_or("none").to_owned())
}

async fn show(request: Request) -> String {
    let params: Vec<_> = request.parts().params().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {}", request.route().unwrap_or("none"), params.join(" "))
}

fn users() -> Service {
    App::new()
        .route("/", get(show))
        .route("/users/me", get(show))
        .route("/users/{id}", get(show).post(show))
        .route("/users/{id}/posts/{post}", get(show))
        .route("/files/{*rest}", get(show))
        .route("/images/img-{number}.png", get(show))
        .route("/{{braces}}", get(show))
        .route("/{a}/{b}/{c}/{d}/{e}/{f}", get(show))
        .into_service()
        .unwrap()
}

#[test]
fn static_parts_go_before_parameters() {
    let service = users();
    for (target, expected) in [
        ("/", "/ "),
        ("/users/me", "/users/me "),
        ("/users/7", "/users/{id} id=7"),
        ("/users/7?page=2", "/users/{id} id=7"),
        ("/users/7/posts/9", "/users/{id}/posts/{post} id=7 post=9"),
        ("/files/a/b/c.txt", "/files/{*rest} rest=a/b/c.txt"),
        ("/images/img-12.png", "/images/img-{number}.png number=12"),
        ("/{braces}", "/{{braces}} "),
        ("/1/2/3/4/5/6", "/{a}/{b}/{c}/{d}/{e}/{f} a=1 b=2 c=3 d=4 e=5 f=6"),
    ] {
        assert_eq!(answer(&service, "GET", target), (200, expected.to_owned()), "{target}");
    }
}

#[test]
fn what_matches_nothing_is_not_found() {
    let service = users();
    for target in ["/users", "/users/", "/users/7/", "/files/", "/files", "/images/img-12.jpg", "//", "/nowhere"] {
        assert_eq!(answer(&service, "GET", target), (404, "404 Not Found".to_owned()), "{target}");
    }
}

#[test]
fn parameters_are_decoded_after_matching() {
    let service = users();
    for (target, expected) in [
        ("/users/a%20b", "/users/{id} id=a b"),
        ("/users/a%2Fb", "/users/{id} id=a/b"),
        ("/users/a%252Fb", "/users/{id} id=a%2Fb"),
        ("/users/100%", "/users/{id} id=100%"),
        ("/users/%zz", "/users/{id} id=%zz"),
        ("/users/%C3%A9", "/users/{id} id=\u{e9}"),
        ("/files/a%2Fb/c", "/files/{*rest} rest=a/b/c"),
        ("/%75sers/%6De", "/users/me "),
        ("/users/a+b", "/users/{id} id=a+b"),
    ] {
        assert_eq!(answer(&service, "GET", target), (200, expected.to_owned()), "{target}");
    }
    assert_eq!(answer(&service, "GET", "/users%2F7").0, 404);
    assert_eq!(answer(&service, "GET", "/users/%ff").0, 400);
    assert_eq!(answer(&service, "GET", "/%ff").0, 400);
}

#[test]
fn a_route_may_be_written_in_any_script() {
    let service = App::new().route("/caf\u{e9}/{id}", get(show)).route("/a%20b", get(show)).into_service().unwrap();
    assert_eq!(answer(&service, "GET", "/caf%C3%A9/1"), (200, "/caf\u{e9}/{id} id=1".to_owned()));
    assert_eq!(answer(&service, "GET", "/a%20b").0, 200);
}

#[test]
fn other_methods_are_told_which_are_allowed() {
    let service = users();
    assert_eq!(allow(&service, "DELETE", "/users/7"), (405, "GET, HEAD, POST, OPTIONS".to_owned()));
    assert_eq!(allow(&service, "get", "/users/7"), (405, "GET, HEAD, POST, OPTIONS".to_owned()));
    assert_eq!(allow(&service, "POST", "/"), (405, "GET, HEAD, OPTIONS".to_owned()));
    assert_eq!(allow(&service, "OPTIONS", "/"), (204, "GET, HEAD, OPTIONS".to_owned()));
    assert_eq!(allow(&service, "OPTIONS", "*"), (204, "GET, HEAD, OPTIONS, POST".to_owned()));
    assert_eq!(allow(&service, "OPTIONS", "/nowhere"), (404, "none".to_owned()));
}

#[test]
fn allow_follows_the_order_of_registration() {
    let app = App::new().route("/", post(show).head(show).get(show).options(show).delete(show));
    let service = app.into_service().unwrap();
    assert_eq!(allow(&service, "PUT", "/"), (405, "POST, HEAD, GET, OPTIONS, DELETE".to_owned()));
    assert_eq!(answer(&service, "OPTIONS", "/").0, 200);
}

#[test]
fn get_answers_head_unless_head_has_a_handler() {
    let service =
        App::new().route("/a", get(show)).route("/b", get(show).head(async || "head")).into_service().unwrap();
    assert_eq!(answer(&service, "HEAD", "/a"), (200, "/a ".to_owned()));
    assert_eq!(answer(&service, "HEAD", "/b"), (200, "head".to_owned()));
}

#[test]
fn any_takes_the_methods_that_have_no_handler() {
    let app = App::new().route("/", any(async || "any").get(async || "get"));
    let service = app.into_service().unwrap();
    assert_eq!(answer(&service, "GET", "/").1, "get");
    assert_eq!(answer(&service, "HEAD", "/").1, "get");
    assert_eq!(answer(&service, "BREW", "/").1, "any");
    assert_eq!(answer(&service, "OPTIONS", "/").1, "any");
}

#[test]
fn methods_of_other_names_can_be_handled() {
    let report: Method = "REPORT".parse().unwrap();
    let service = App::new().route("/", on(report, async || "report")).into_service().unwrap();
    assert_eq!(answer(&service, "REPORT", "/").1, "report");
    assert_eq!(allow(&service, "GET", "/"), (405, "REPORT, OPTIONS".to_owned()));
}

#[test]
fn connect_names_no_path() {
    let app = App::new().route("/", any(show)).fallback(async || "fallback");
    assert_eq!(answer(&app.into_service().unwrap(), "CONNECT", "example.org:443").1, "fallback");
    let service = App::new().connect(async |request: Request| request.target().to_string()).into_service().unwrap();
    assert_eq!(answer(&service, "CONNECT", "example.org:443").1, "example.org:443");
}

#[test]
fn one_path_may_be_added_in_parts() {
    let service = App::new().route("/", get(async || "get")).route("/", post(async || "post")).into_service().unwrap();
    assert_eq!(answer(&service, "GET", "/").1, "get");
    assert_eq!(answer(&service, "POST", "/").1, "post");
}

#[test]
fn a_fallback_stands_in_for_not_found_only() {
    let app = App::new().route("/", get(async || "here")).fallback(async |method: Method| format!("{method} fell"));
    let service = app.into_service().unwrap();
    assert_eq!(answer(&service, "PUT", "/nowhere"), (200, "PUT fell".to_owned()));
    assert_eq!(answer(&service, "PUT", "/").0, 405);
}

fn route_error(app: App) -> RouteError {
    match app.into_service() {
        Err(StartError::Route(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn routes_that_cannot_be_are_named() {
    let conflict = route_error(App::new().route("/users/{id}", get(show)).route("/users/{name}", get(show)));
    assert_eq!(conflict, RouteError::Conflict { path: "/users/{name}".into(), with: "/users/{id}".into() });
    assert_eq!(conflict.to_string(), "the route /users/{name} conflicts with /users/{id}");

    let repeated = route_error(App::new().route("/", get(show)).route("/", get(show)));
    assert_eq!(repeated, RouteError::MethodRepeated { path: "/".into(), method: "GET".into() });
    let repeated = route_error(App::new().route("/", any(show).any(show)));
    assert_eq!(repeated, RouteError::MethodRepeated { path: "/".into(), method: "any".into() });

    for path in ["", "users", "/{id", "/{}", "/{*rest}/more", "/{a}{b}", "/%ff", "/%7bid%7d"] {
        let error = route_error(App::new().route(path, get(show)));
        assert!(matches!(&error, RouteError::Invalid { path: named, .. } if named == path), "{path}: {error:?}");
    }
}

#[test]
fn the_order_of_routes_makes_no_conflict() {
    let paths = ["/files/{*rest}", "/images/img-{number}.png", "/{a}/{b}"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let app = order.iter().fold(App::new(), |app, &index| app.route(paths[index], get(show)));
        let service = app.into_service().unwrap();
        assert_eq!(answer(&service, "GET", "/files/x").1, "/files/{*rest} rest=x", "{order:?}");
        assert_eq!(answer(&service, "GET", "/images/img-7.png").1, "/images/img-{number}.png number=7", "{order:?}");
        assert_eq!(answer(&service, "GET", "/images/7").1, "/{a}/{b} a=images b=7", "{order:?}");
    }
}

#[test]
fn the_first_error_is_kept() {
    let error = route_error(App::new().route("first", get(show)).route("second", get(show)));
    assert!(matches!(error, RouteError::Invalid { path, .. } if path == "first"));
}

#[test]
fn a_service_without_a_route_answers_all_the_same() {
    let service = App::new().into_service().unwrap();
    assert_eq!(answer(&service, "GET", "/").0, 404);
    assert_eq!(allow(&service, "OPTIONS", "*").0, 204);
}

#[test]
fn routes_are_found_among_many() {
    let mut app = App::new();
    for number in 0..1_000 {
        app = app.route(&format!("/n{number}/{{id}}"), get(async |Path(id): Path<u32>| id.to_string()));
    }
    let service = app.into_service().unwrap();
    assert_eq!(answer(&service, "GET", "/n999/5").1, "5");
    assert_eq!(answer(&service, "GET", "/n1000/5").0, Status::NOT_FOUND.code());
}
