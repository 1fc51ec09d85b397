# Sourced: an NFSv4.2 server and its client in one machine. nfs_serve OPTIONS; nfs_mount.
modprobe nfsd
modprobe nfsv4

nfs_serve() {
  mkdir -p /srv/dumps /mnt/dumps
  mountpoint -q /srv/dumps || mount -t tmpfs -o size=300m tmpfs /srv/dumps
  if ! mountpoint -q /proc/fs/nfsd; then
    mount -t nfsd nfsd /proc/fs/nfsd
    mkdir -p /run/rpc_pipefs /var/lib/nfs/nfsdcld
    mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
    # Without it the first open waits for 90 seconds of grace.
    nfsdcld
    echo 10 > /proc/fs/nfsd/nfsv4leasetime
    echo 10 > /proc/fs/nfsd/nfsv4gracetime
  fi
  ip link set lo up
  echo "/srv/dumps 127.0.0.1(rw,sync,fsid=0,no_subtree_check,insecure,$1)" > /etc/exports
  exportfs -ra
  pidof rpc.mountd >/dev/null || rpc.mountd -N 3 -V 4 2>/dev/null
  rpc.nfsd -N 3 -t 4
}

nfs_mount() { mount -t nfs4 -o vers=4.2,proto=tcp,hard 127.0.0.1:/ /mnt/dumps; }
