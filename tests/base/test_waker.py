"""What is announced and waits for a worker is known, and whether a broker answers: a real one."""

from pathlib import Path

from redis import Redis

from digitizer.model.records import Stage
from digitizer.queue.broker import broker_trouble
from digitizer.queue.waker import QUEUES, CeleryWaker, make_app
from digitizer.service.redis import PrivateRedis


def test_what_is_announced_is_told(tmp_path: Path) -> None:
    """Until there is too much of it; messages of others are passed over."""
    with PrivateRedis(tmp_path) as redis:
        app = make_app(redis.url)
        waker = CeleryWaker(app)
        assert waker.announced() == frozenset()
        some = {(stage, f"subject {stage.value}") for stage in QUEUES}
        waker.wake(some)
        with app.connection_for_read() as connection:
            client: Redis = connection.default_channel.client
            client.rpush(
                QUEUES[Stage.READ], b"\xff", b"{}", b"[]", b'{"body": "e30=", "headers": {}}'
            )
        assert waker.announced() == some
        waker.wake([(Stage.STORE, str(number)) for number in range(100)])
        assert waker.announced() is None
    assert waker.announced() == frozenset()


def test_whether_a_broker_answers_is_told(tmp_path: Path) -> None:
    """At a socket as well; of the URL, which may hold a password, nothing is told."""
    with PrivateRedis(tmp_path) as redis:
        assert broker_trouble(redis.url) == ""
        url = redis.url
    assert broker_trouble(url) == "ConnectionError"
    assert broker_trouble("redis://:secret@127.0.0.1:9/0") == "ConnectionError"
    assert broker_trouble("amqp://:secret@127.0.0.1/") == "ValueError"
