"""A cluster that asks for TLS with certificates on both sides and for a login: only right settings reach it."""

import asyncio
import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from deploy.kafka.server import KafkaServer, free_port
from shared.bus.interface import BusUnavailableError
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.producer import KafkaProducer
from shared.bus.records import Outgoing
from shared.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]

TOPIC = "secured"
ADDRESS = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{{port}},SECURED://127.0.0.1:{secured},CONTROLLER://127.0.0.1:{{controller_port}}
advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},SECURED://127.0.0.1:{secured}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.secured.ssl.client.auth=required
listener.name.secured.sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_regulars="s3cret";
"""


class Authority:
    """Signs certificates, as the one of a company does."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        unsigned = self._unsigned(self._name, self._key.public_key())
        ends_here = x509.BasicConstraints(ca=True, path_length=None)
        self._own = unsigned.add_extension(ends_here, critical=True).sign(self._key, hashes.SHA256())

    def write(self, folder: Path, name: str) -> None:
        """A key with its certificate, each in a file and both in one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        unsigned = self._unsigned(subject, key.public_key()).add_extension(ADDRESS, critical=False)
        certificate = unsigned.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.key").write_bytes(private)
        (folder / f"{name}.crt").write_bytes(certificate)
        (folder / f"{name}.pem").write_bytes(private + certificate)

    def write_own(self, path: Path) -> None:
        """The certificate by which those signed are known."""
        path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))


@pytest.fixture(scope="module")
def secured(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that reach a cluster of its own (`kafka` is there to be skipped with where there is no Java)."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority("Regulars tests")
    authority.write_own(folder / "ca.pem")
    authority.write(folder, "server")
    authority.write(folder, "client")
    port = free_port()
    properties = PROPERTIES.format(secured=port, folder=folder)
    server = KafkaServer(folder / "kafka", free_port(), properties=properties)
    server.start()
    try:
        yield Settings(
            kafka_bootstrap_servers=f"127.0.0.1:{port}",
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_mechanism="PLAIN",
            kafka_sasl_username="regulars",
            kafka_sasl_password=SecretStr("s3cret"),
            kafka_ssl_cafile=folder / "ca.pem",
            kafka_ssl_certfile=folder / "client.crt",
            kafka_ssl_keyfile=folder / "client.key",
            kafka_replication_factor=1,
            partitions=2,
        )
    finally:
        server.stop()


async def test_records_go_through_a_secured_cluster(secured: Settings) -> None:
    """Given TLS on both sides and a login; when a record is published; then a member of a group reads it."""
    producer = KafkaProducer(secured, [TOPIC])
    consumer = KafkaConsumer(secured, "readers", TOPIC, "one")
    await producer.start()
    await producer.publish([Outgoing(TOPIC, "ana", b"hello")])
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            while not consumer.assigned():
                await consumer.fetch(10, 0.5)
            await consumer.seek(dict.fromkeys(consumer.assigned(), 0))
            while not (found := await consumer.fetch(10, 0.5)):
                pass
        assert [record.value for record in found] == [b"hello"]
    finally:
        await consumer.stop()
        await producer.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kafka_sasl_password": SecretStr("guessed")},
        {"kafka_ssl_certfile": None, "kafka_ssl_keyfile": None},
        {"kafka_ssl_cafile": None},
        {"kafka_security_protocol": "PLAINTEXT"},
    ],
    ids=["wrong password", "no certificate of ours", "an authority nobody knows", "no TLS"],
)
async def test_wrong_settings_are_refused_in_time(secured: Settings, wrong: dict[str, object]) -> None:
    """Given settings of which one is wrong; when a record is published; then it is not, within seconds."""
    producer = KafkaProducer(secured.model_copy(update=wrong), [TOPIC])
    async with asyncio.timeout(20):
        await producer.start()
        with pytest.raises(BusUnavailableError):
            await producer.publish([Outgoing(TOPIC, "ana", b"never")])
        await producer.stop()
