package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Disk is a small file system that can be full.
type Disk struct{ Dir string }

// SmallDisk makes a file system of the given size in bytes, for which it has to
// be root or allowed to use sudo.
func (l *Lab) SmallDisk(ctx context.Context, name string, size int) (*Disk, error) {
	dir, err := l.Folder(name)
	if err != nil {
		return nil, err
	}
	asRoot := func(ctx context.Context, command ...string) error {
		if os.Geteuid() != 0 {
			command = append([]string{"sudo", "--non-interactive"}, command...)
		}
		return l.run(ctx, command[0], command[1:]...)
	}
	options := fmt.Sprintf("size=%d,mode=0700,uid=%d", size, os.Geteuid())
	if err := asRoot(ctx, "mount", "-t", "tmpfs", "-o", options, "tmpfs", dir); err != nil {
		return nil, fmt.Errorf("making a small disk, which takes root or sudo: %w", err)
	}
	l.onClose(func() { _ = asRoot(context.WithoutCancel(ctx), "umount", "--lazy", dir) })
	return &Disk{Dir: dir}, nil
}

// Fill takes all the space that is left.
func (d *Disk) Fill() error {
	file, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("filling a disk: %w", err)
	}
	defer func() { _ = file.Close() }()
	for page := bytes.Repeat([]byte{'x'}, os.Getpagesize()); err == nil; {
		_, err = file.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("filling a disk: %w", err)
	}
	return nil
}

// Free gives back what Fill has taken.
func (d *Disk) Free() error {
	if err := os.Remove(d.filler()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("freeing a disk: %w", err)
	}
	return nil
}

func (d *Disk) filler() string { return filepath.Join(d.Dir, "filler") }
