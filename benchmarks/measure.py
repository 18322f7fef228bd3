"""Measuring a case beside a constant answer of its size, turn by turn."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, repeat
from multiprocessing import get_context
from statistics import median, quantiles
from types import TracebackType

from benchmarks import load
from benchmarks.cases import Case, request
from benchmarks.load import Job, Result

MOST = 4_000
"""Requests a second that are made ready; no case is as fast."""

WARM_UP = 0.5
"""Seconds of each case before its first round; they tell the size of its answers, too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    seconds: float
    rounds: int
    connections: int


@dataclass(slots=True)
class Measured:
    """A case's rounds, each beside the constant answer's."""

    case: Case
    size: int
    """Bytes of the body of an answer, on average; the constant answer has as many."""
    rounds: list[Result] = field(default_factory=list)
    constants: list[Result] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The case's rate as a share of the constant answer's: the median of the rounds."""
        pairs = zip(self.rounds, self.constants, strict=True)
        return median(case.rate / constant.rate for case, constant in pairs)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest such share."""
        pairs = zip(self.rounds, self.constants, strict=True)
        ratios = [case.rate / constant.rate for case, constant in pairs]
        return min(ratios), max(ratios)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return median(result.rate for result in self.rounds)

    @property
    def constant(self) -> float:
        """Constant answers a second."""
        return median(result.rate for result in self.constants)

    def latency(self, percent: int) -> float:
        """The milliseconds within which so many percent of the answers came."""
        seconds = [latency for result in self.rounds for latency in result.latencies]
        return quantiles(seconds, n=100)[percent - 1] * 1000

    @property
    def busy(self) -> float:
        """The greatest share of its time that the load generator was at work; 1 is too much."""
        return max(result.busy for result in (*self.rounds, *self.constants))


class Bench:
    """The load generator's process, pointed at a service."""

    def __init__(self, port: int, plan: Plan) -> None:
        self._port = port
        self._plan = plan
        # Spawned, not forked: it must not inherit the parent's connections.
        self._process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.shutdown(cancel_futures=True)

    def measure(self, case: Case) -> Measured:
        """Measures a case.

        Raises:
            TimeoutError: when an answer did not come in a minute.
            RuntimeError: when one was not as it should be.
        """
        first = self._run(case, WARM_UP)
        measured = Measured(case, first.body_bytes // len(first.latencies))
        constant = Case("constant", repeat(request("GET", f"/constant/{measured.size}")), start=b"")
        for _ in range(self._plan.rounds):
            measured.constants.append(self._run(constant, self._plan.seconds))
            measured.rounds.append(self._run(case, self._plan.seconds))
        return measured

    def _run(self, case: Case, seconds: float) -> Result:
        requests = list(islice(case.requests, int(MOST * seconds)))
        connections = self._plan.connections
        job = Job(self._port, connections, seconds, requests, case.status, case.start)
        result = self._process.submit(load.run, job).result()
        if result.wrong:
            raise RuntimeError(
                f"{case.name}: {result.wrong} of {len(result.latencies)} answers were not as they "
                f"should be; the first:\n{result.example}"
            )
        return result
