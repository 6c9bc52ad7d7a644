"""Prometheus metrics: requests as they end, and the catalog's counts as they are when asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.metadata import version

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.types import JobState

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class CatalogCollector(Collector):
    """Counts of the catalog at the time of the scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> list[Metric]:
        return []  # so that registering it asks nothing of the database

    def collect(self) -> Iterator[Metric]:
        with self._database.read() as catalog:
            collections = catalog.collections.all()
            recent = jobs.listed(catalog, limit=1000)
        yield InfoMetricFamily("riparian", "This program.", value={"version": version("riparian")})
        for name in ("documents", "passages", "failures"):
            gauge = GaugeMetricFamily(
                f"riparian_{name}", f"{name.capitalize()} of a collection.", labels=["collection"]
            )
            for collection in collections:
                gauge.add_metric([collection.name], getattr(collection, name))
            yield gauge
        gauge = GaugeMetricFamily("riparian_jobs", "The latest thousand jobs by state.", labels=["state"])
        for state in JobState:
            gauge.add_metric([state.value], sum(job.state is state for job in recent))
        yield gauge


class Metrics:
    """A registry of its own, so that two apps in one process do not meet."""

    def __init__(self, database: Database) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(CatalogCollector(database))
        labels = ("method", "rule", "status")
        self._requests = Counter("riparian_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "riparian_request_seconds", "Seconds to answer.", ("rule",), buckets=_BUCKETS, registry=self._registry
        )

    def register(self, app: Flask) -> None:
        app.after_request(self._count)

    def text(self) -> Response:
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)

    def _count(self, response: Response) -> Response:
        # addresses that match no rule share a label: a visitor must not be able to make labels
        rule = request.url_rule.rule if request.url_rule else "none"
        self._requests.labels(request.method if rule != "none" else "any", rule, response.status_code).inc()
        if "request_began" in g:
            self._seconds.labels(rule).observe(time.perf_counter() - g.request_began)
        return response
