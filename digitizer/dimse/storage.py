"""Storage SOP classes that pynetdicom does not serve by itself: retired and private ones."""

from pynetdicom import register_uid
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import uid_to_service_class

__all__ = ["make_known"]


def make_known(sop_class: str) -> None:
    """Have pynetdicom take a class as storage; else it would break off when an instance comes."""
    if not issubclass(uid_to_service_class(sop_class), StorageServiceClass):
        register_uid(sop_class, f"Storage_{sop_class.replace('.', '_')}", StorageServiceClass)
