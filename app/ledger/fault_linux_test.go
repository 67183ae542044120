package ledger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Disks that fill up and that cannot be written are real ones: a small file system in memory, in a process with a namespace of its own, in
// which anybody may mount. Root is told of a full or a read-only disk as others are; permissions it would ignore.

// noMount is the exit code of a child that may not mount.
const noMount = 77

// onOwnDisk runs the calling test once more in a process that may mount, and reports whether this is that process. There, dir is a disk of
// its own, of megabytes.
func onOwnDisk(t *testing.T, megabytes int) (dir string, here bool) {
	t.Helper()
	if os.Getenv(inChild) == "" {
		cmd := child(t, "on a disk of its own")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || errors.As(err, &exit) && exit.ExitCode() == noMount {
			unfit(t, "this machine lets nobody mount a file system of its own (unshare -rm): allow user namespaces, or give the container CAP_SYS_ADMIN")
		}
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return "", false
	}
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		fmt.Fprintln(os.Stderr, "mounting:", err)
		os.Exit(noMount)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, true
}

// inOwnProcess runs the calling test once more in a process of its own, and reports whether this is it.
func inOwnProcess(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inChild) != "" {
		return true
	}
	out, err := child(t, "alone").Output()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}

// noFileBeyond makes every write behind so many bytes of any file fail for this process, root's too; negative: none.
func noFileBeyond(t *testing.T, size int64) {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		t.Fatal(err)
	}
	if l.Cur = uint64(size); size < 0 {
		l.Cur = l.Max
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		t.Fatal(err)
	}
}

// fill leaves so many bytes on dir's disk, rounded to pages.
func (r *rig) fill(dir string, leave int64) {
	r.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "ballast"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	r.ok(err)
	defer func() { r.ok(f.Close()) }()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	r.is(err, syscall.ENOSPC)
	fi, err := f.Stat()
	r.ok(err)
	r.ok(f.Truncate(max(0, fi.Size()-leave)))
}

func (r *rig) makeRoom(dir string) {
	r.Helper()
	r.ok(os.Remove(filepath.Join(dir, "ballast")))
}
