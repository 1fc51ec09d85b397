# Sourced by inside.sh: an NFSv4.2 server and its clients.

# nfs_serve [CLIENTS] [OPTION]: exports /srv/dumps, which lies in memory where nothing is mounted there.
nfs_serve() {
  modprobe nfsd
  mkdir -p /srv/dumps
  mountpoint -q /srv/dumps || mount -t tmpfs -o size=300m tmpfs /srv/dumps
  if ! mountpoint -q /proc/fs/nfsd; then
    mount -t nfsd nfsd /proc/fs/nfsd
    # What clients held is remembered where the files are.
    mkdir -p /run/rpc_pipefs /var/lib/nfs/nfsdcld /srv/dumps/.nfsdcld
    mount --bind /srv/dumps/.nfsdcld /var/lib/nfs/nfsdcld
    mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
    # Without it the first open waits for 90 seconds of grace.
    systemd-run --quiet nfsdcld --foreground
    echo 10 > /proc/fs/nfsd/nfsv4leasetime
    echo 10 > /proc/fs/nfsd/nfsv4gracetime
  fi
  echo "/srv/dumps ${1:-*}(rw,sync,fsid=0,no_subtree_check,insecure,${2:-no_root_squash})" > /etc/exports
  exportfs -ra
  pidof rpc.mountd >/dev/null || systemd-run --quiet --property=Type=forking rpc.mountd -N 3 -V 4
  rpc.nfsd -N 3 -t 4
}

# nfs_mount [SERVER]: at /mnt/dumps.
nfs_mount() {
  # With these, Linux 7.2 does not see for minutes what another node makes where it has just looked.
  modprobe nfsv4 directory_delegations=${DELEGATIONS:-0}
  mkdir -p /mnt/dumps
  eventually mount -t nfs4 -o vers=4.2,proto=tcp,hard "${1:-127.0.0.1}:/" /mnt/dumps
}
