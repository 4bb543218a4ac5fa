//! What holds for every request: a deadline that is kept, a place that is had, an end with the server.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tower::{Layer, Service};

use super::edge::{Phase, reached};
use super::status;

/// Asked in times of need, above all.
const HEALTH_PREFIX: &str = "/grpc.health.v1.Health/";

/// Wraps all services.
#[derive(Clone)]
pub(super) struct Guard {
    places: Arc<Semaphore>,
    limit: usize,
    phases: watch::Receiver<Phase>,
}

impl Guard {
    /// Lets `limit` requests be worked on at once, until the server comes to [`Phase::Cut`].
    pub(super) fn new(limit: usize, phases: watch::Receiver<Phase>) -> Self {
        Self { places: Arc::new(Semaphore::new(limit)), limit, phases }
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone() }
    }
}

/// All services, wrapped.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    guard: Guard,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let place = if request.uri().path().starts_with(HEALTH_PREFIX) {
            None
        } else if let Ok(place) = Arc::clone(&self.guard.places).try_acquire_owned() {
            Some(place)
        } else {
            let full = format!("{} requests are under way already; try again in a moment", self.guard.limit);
            return Box::pin(async move { Ok(status::overloaded(&full).into_http()) });
        };
        // tonic knows the header, too, but calls what runs out of time cancelled.
        let timeout = timeout(request.headers());
        let cut = reached(self.guard.phases.clone(), Phase::Cut);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let _place = place;
            let expired = async move {
                match timeout {
                    Some(timeout) => tokio::time::sleep(timeout).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                answer = answer => answer,
                () = expired => Ok(status::too_late("the time that the caller gave is up").into_http()),
                () = cut => Ok(status::stopping().into_http()),
            }
        })
    }
}

/// The time that a caller gives: up to eight digits and a unit, as the gRPC protocol has it.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tonic::{Code, Status};

    use super::*;

    /// The code that a request gets whose work never ends.
    async fn code(guard: &Guard, path: &str, timeout: Option<&str>) -> Code {
        let endless =
            tower::service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, Infallible>>());
        let mut request = Request::builder().uri(path);
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let response = guard.layer(endless).call(request.body(Body::default()).unwrap()).await.unwrap();
        Status::from_header_map(response.headers()).unwrap().code()
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up() {
        let (phase, phases) = watch::channel(Phase::Serving);
        let guard = Guard::new(1, phases);
        assert_eq!(code(&guard, "/a", Some("1m")).await, Code::DeadlineExceeded);
        phase.send_replace(Phase::Cut);
        assert_eq!(code(&guard, "/a", None).await, Code::Unavailable);
    }

    #[tokio::test]
    async fn only_health_is_asked_when_all_places_are_taken() {
        let (_phase, phases) = watch::channel(Phase::Serving);
        let guard = Guard::new(0, phases);
        assert_eq!(code(&guard, "/a", Some("1m")).await, Code::ResourceExhausted);
        assert_eq!(code(&guard, "/grpc.health.v1.Health/Check", Some("1m")).await, Code::DeadlineExceeded);
    }

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        let check = |text: &str, expected: Option<Duration>| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            assert_eq!(timeout(&headers), expected, "{text:?}");
        };
        check("2H", Some(Duration::from_secs(7200)));
        check("3M", Some(Duration::from_secs(180)));
        check("42S", Some(Duration::from_secs(42)));
        check("100m", Some(Duration::from_millis(100)));
        check("82u", Some(Duration::from_micros(82)));
        check("99999999n", Some(Duration::from_nanos(99_999_999)));
        for wrong in ["", "S", "5", "999999999S", "-1S", "+1S", "5X", "1 S", "5é"] {
            check(wrong, None);
        }
        assert_eq!(timeout(&HeaderMap::new()), None);
    }
}
