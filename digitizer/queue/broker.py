"""Whether the message broker answers."""

from redis import Redis
from redis.exceptions import RedisError

__all__ = ["broker_trouble"]


def broker_trouble(url: str, *, timeout_s: float = 2.0) -> str:
    """Return why a broker cannot be used; empty when it answers.

    Parameters
    ----------
    url : str
        As Celery takes it: a Redis at a socket is ``redis+socket:///PATH?virtual_host=N``.
    timeout_s : float
        Seconds to wait for a connection, and for an answer.

    Returns
    -------
    str
        The kind of the error alone, for a URL may hold a password.
    """
    if url.startswith("redis+socket:"):
        url = url.replace("redis+socket:", "unix:").replace("virtual_host", "db")
    try:
        with Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        ) as client:
            client.ping()
    except (RedisError, OSError, ValueError) as error:
        return type(error).__name__
    return ""
