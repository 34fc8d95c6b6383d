"""Drifts as a person or an accident makes them, by area."""

from tests.e2e.support.drifts.drift import Drift as Drift
from tests.e2e.support.drifts.host import ACCESS, HOST, PACKAGES
from tests.e2e.support.drifts.kubernetes import CERTIFICATES, CLUSTER, STATIC_PODS
from tests.e2e.support.drifts.services import BALANCER, NETWORK, RUNTIME

AREAS = (HOST, PACKAGES, ACCESS, NETWORK, BALANCER, RUNTIME, STATIC_PODS, CERTIFICATES, CLUSTER)
DRIFTS = tuple(drift for area in AREAS for drift in area)
