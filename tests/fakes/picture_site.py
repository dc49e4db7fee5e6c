"""Web servers on loopback that answer with the very bytes a test gives, over TLS or without."""

from __future__ import annotations

import datetime as dt
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

Answer = Callable[[socket.socket, bytes], None]
"""Is given the connection and the request's head, and writes what it likes."""


def png(colour: tuple[int, int, int] = (200, 30, 30), side: int = 32) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "PNG")
    return out.getvalue()


def response(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    """Answer with a body and its length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return lambda sock, _: sock.sendall("\r\n".join(lines).encode() + body)


def redirect(to: str, status: str = "302 Found") -> Answer:
    return response(b"", f"Location: {to}", status=status)


@dataclass(slots=True)
class PictureSite:
    """A running server.

    Attributes:
        answer: For each path; anything else is 404.
        heads: Of all requests, as they came.
        connections: How often somebody connected.
    """

    answer: dict[str, Answer]
    host: str
    port: int
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def picture_site(
    answer: dict[str, Answer],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[PictureSite]:
    with socket.create_server((host, port)) as listener:
        listener.settimeout(0.05)
        site = PictureSite(answer, host, listener.getsockname()[1])
        stop = threading.Event()
        threads: list[threading.Thread] = []

        def serve() -> None:
            while not stop.is_set():
                try:
                    sock, _ = listener.accept()
                except TimeoutError:
                    continue
                site.connections += 1
                threads.append(threading.Thread(target=_converse, args=(site, sock, tls)))
                threads[-1].start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield site
        finally:
            stop.set()
            thread.join()
            for each in threads:
                each.join()


def _converse(site: PictureSite, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
    with sock:
        sock.settimeout(5)
        try:
            stream = sock if tls is None else tls.wrap_socket(sock, server_side=True)
        except OSError:
            return  # the caller did not like the certificate
        with stream:
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    more = stream.recv(4096)
                    if not more:
                        return
                    head += more
                site.heads.append(head)
                path = head.split(b" ")[1].decode()
                site.answer.get(path, response(b"", status="404 Not Found"))(stream, head)
            except OSError:
                return  # the caller left


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(folder, key, _certificate("test authority", key, key, "test authority", None))

    def client_context(self) -> ssl.SSLContext:
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def server_context(self, *names: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(names[0], key, self.key, "test authority", names)
        path = self.folder / f"{names[0]}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: str,
    names: tuple[str, ...] | None,
) -> x509.Certificate:
    now = dt.datetime.now(tz=dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if names is not None:
        alternative = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(signer, hashes.SHA256())
