"""A certificate authority for one run, made with openssl(1)."""

import os
import shutil
import subprocess
from collections import namedtuple

Certificate = namedtuple("Certificate", "chain key")


def openssl(*args):
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (
            args[0], done.stdout.decode("utf-8", "replace")))


class Authority:
    """`ca` is the path of its own certificate, for those who shall trust it."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = os.path.join(folder, "ca.pem")
        self._key = os.path.join(folder, "ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=xmpproxy test authority",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self._key, "-out", self.ca)

    def as_folder(self):
        """A folder with its certificate under the name that OpenSSL looks
        for."""
        folder = os.path.join(self.folder, "trusted")
        if not os.path.exists(folder):
            os.makedirs(folder)
            shutil.copy(self.ca, folder)
            openssl("rehash", folder)
        return folder

    def issue(self, *domains):
        """A certificate for these domains, with its key."""
        base = os.path.join(self.folder, "+".join(domains))
        chain, key = base + ".pem", base + ".key"
        if os.path.exists(chain):
            return Certificate(chain, key)
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\n"
                    "extendedKeyUsage=serverAuth\n"
                    % ",".join("DNS:" + d for d in domains))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=" + domains[0], "-keyout", key,
                "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-days", "30",
                "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial",
                "-extfile", base + ".ext", "-out", chain)
        return Certificate(chain, key)
