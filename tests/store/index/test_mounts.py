"""On the file system of a network the index is left alone; which one a folder lies on is read from the kernel's list."""

from __future__ import annotations

from pathlib import Path

import pytest

from exptrack.store.index.mounts import find_network, find_type, is_network, parse_mounts

MOUNTS = rb"""22 1 252:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /home rw,relatime shared:2 master:3 - nfs4 server:/home rw,vers=4.2
31 30 0:27 / /home/ada/fast rw - xfs /dev/vdb rw
32 22 0:28 / /mnt/with\040space\134and rw - cifs //server/share rw
33 22 0:29 / /lustre rw - lustre mgs@tcp:/fs rw
34 22 0:30 / /over rw - ext4 /dev/vdc rw
35 22 0:31 / /over rw - fuse.sshfs ada@host: rw
half a line
36 22 0:32 / /late rw -
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/", "ext4"), (b"/srv/project", "ext4"), (b"/home", "nfs4"), (b"/home/ada/project", "nfs4"), (b"/homely", "ext4"),
        (b"/home/ada/fast/project", "xfs"), (b"/home/ada/faster", "nfs4"), (b"/mnt/with space\\and/x", "cifs"), (b"/lustre/x", "lustre"),
        (b"/over/x", "fuse.sshfs"), (b"relative", None),
    ],
)  # fmt: skip
def test_a_folder_lies_on_the_deepest_mount_above_it_and_there_on_the_last(path, kind):
    assert find_type(parse_mounts(MOUNTS), path) == kind


def test_network_file_systems_are_known_by_their_types_also_by_fuse():
    assert all(
        map(
            is_network,
            [
                "nfs",
                "nfs4",
                "cifs",
                "smb3",
                "9p",
                "fuse.sshfs",
                "lustre",
                "ceph",
                "fuse.glusterfs",
                "beegfs",
                "gpfs",
                "afs",
            ],
        )
    )
    assert not any(
        map(is_network, ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk", "zfs", "apfs", "fuse.gocryptfs", ""])
    )


def test_a_folder_of_this_machine_lies_on_none():
    assert find_network(Path("/proc/self")) is None
    assert find_network(Path("/nowhere/at/all")) is None
