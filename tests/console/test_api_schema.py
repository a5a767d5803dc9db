"""The API against its own description: generated requests to every operation, never a 500."""

from pathlib import Path
from typing import Any

import schemathesis
from console_films import fill_review
from console_site import Console
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from digitizer.model.users import Role
from digitizer.pipeline import accounts

EXAMPLES = 3
"""Of each operation, of requests as described and of others each."""


def test_no_generated_request_makes_it_fail(console: Console, tmp_path: Path) -> None:
    """The same requests each time; what is described is tried, and what is not."""
    fill_review(console, tmp_path)
    console.add("robot", *Role)
    token = accounts.new_token(console.site.services, console.site.sessions, "robot", by="test")
    headers = {"authorization": f"Bearer {token}", "host": "127.0.0.1"}
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", console.app, headers=headers)
    answers: dict[str, set[int]] = {}
    for found in described.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            told = answers.setdefault(f"{operation.label} {mode.value}", set())
            _ask(operation, mode, headers, told)
    assert {label: told for label, told in answers.items() if max(told, default=0) >= 500} == {}
    assert len(answers) >= 2 * len(described)
    reached = {label for label, told in answers.items() if told & {200, 202, 404, 409}}
    assert {label for label in answers if label.endswith("positive")} <= reached


def _ask(operation: Any, mode: GenerationMode, headers: dict[str, str], told: set[int]) -> None:
    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        told.add(case.call(headers=headers).status_code)

    send()
