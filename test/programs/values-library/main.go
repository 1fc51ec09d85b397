// Values of Go's library whose bytes say little: times, durations, locks, atomics, contexts, errors, addresses,
// large numbers.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	_ "time/tzdata"

	"gocore.test/programs/internal/outside"
	"gocore.test/programs/internal/truth"
)

type key string

func main() {
	// Long ago, not yet, in a zone with a rule for the future, in one of a fixed offset.
	for i, at := range []time.Time{
		time.Unix(0, 0).UTC(),
		time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1850, 5, 5, 5, 5, 5, 0, load("Europe/Berlin")),
		time.Date(1999, 7, 1, 12, 0, 0, 0, load("America/New_York")),
		time.Date(2031, 1, 1, 12, 0, 0, 500000000, load("America/New_York")),
		time.Date(2031, 7, 1, 12, 0, 0, 0, load("Europe/Berlin")),
		time.Date(2045, 12, 24, 18, 0, 0, 0, load("Australia/Sydney")),
		time.Date(2031, 7, 1, 12, 0, 0, 0, load("Asia/Kolkata")),
		time.Date(2020, 2, 2, 2, 2, 2, 0, time.FixedZone("odd", -(3*3600+1800))),
	} {
		truth.Say(fmt.Sprintf("time-%d", i), at, at.Format(time.RFC3339Nano))
	}
	now := time.Now()
	truth.Say("now", now, now.Format(time.RFC3339Nano)+now.String()[strings.Index(now.String(), " m="):])
	truth.Say("zero-time", time.Time{}, "0001-01-01T00:00:00Z")
	for i, d := range []time.Duration{0, 1, 1500, 2500000, 1500000000, -90 * time.Second, 26*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Millisecond, 1<<63 - 1} {
		truth.Say(fmt.Sprintf("duration-%d", i), d, d.String())
	}

	locks()
	atomics()
	contexts()

	_, opened := os.Open("/does/not/exist")
	_, parsed := strconv.Atoi("12x")
	for i, err := range []error{
		errors.New("plain"),
		opened,
		parsed,
		fmt.Errorf("loading: %w", opened),
		fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", fs.ErrNotExist)),
		os.NewSyscallError("connect", syscall.ECONNREFUSED),
		syscall.ENOENT,
		context.DeadlineExceeded,
		&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EXDEV},
	} {
		truth.Say(fmt.Sprintf("error-%d", i), err, err.Error())
	}

	for _, text := range []string{"10.1.2.3", "::1", "2001:db8::8:800:200c:417a", "::ffff:1.2.3.4", "fe80::1", "fe80::1%eth0", "1:0:0:2::"} {
		addr := netip.MustParseAddr(text)
		truth.Say("addr "+text, addr, addr.String())
	}
	truth.Say("addr-port", netip.MustParseAddrPort("[::1]:80"), "[::1]:80")
	truth.Say("addr-port-4", netip.MustParseAddrPort("127.0.0.1:8080"), "127.0.0.1:8080")
	truth.Say("prefix", netip.MustParsePrefix("10.0.0.0/8"), "10.0.0.0/8")
	truth.Say("ip", net.ParseIP("192.168.0.1"), "192.168.0.1")
	truth.Say("ip6", net.ParseIP("2001:db8::1"), "2001:db8::1")

	factorial := new(big.Int).MulRange(1, 30)
	truth.Say("big", factorial, factorial.String())
	truth.Say("big-negative", big.NewInt(-12345), "-12345")
	truth.Say("big-zero", new(big.Int), "0")
	truth.Say("rat", big.NewRat(-6, 4), "-3/2")
	var builder strings.Builder
	builder.WriteString("built")
	truth.Say("builder", &builder, `"built"`)
	buffer := bytes.NewBufferString("half read")
	buffer.Next(5)
	truth.Say("buffer", buffer, `"read"`)
	outside.Settle()
	truth.Die()
}

func load(name string) *time.Location {
	location, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return location
}

func locks() {
	var free, locked, waited sync.Mutex
	locked.Lock()
	waited.Lock()
	for i := 0; i < 2; i++ {
		go waited.Lock()
	}
	truth.Say("mutex", &free, "unlocked")
	truth.Say("mutex-locked", &locked, "locked")
	truth.Say("mutex-waited", &waited, "locked, 2 waiting")
	var rw, reading, writing, queued sync.RWMutex
	reading.RLock()
	reading.RLock()
	writing.Lock()
	go writing.RLock()
	queued.RLock()
	go queued.Lock()
	time.Sleep(50 * time.Millisecond)
	truth.Say("rwmutex", &rw, "unlocked")
	truth.Say("rwmutex-reading", &reading, "read-locked by 2")
	truth.Say("rwmutex-writing", &writing, "locked, 1 reader waiting")
	truth.Say("rwmutex-queued", &queued, "read-locked by 1, a writer waiting")
	var group sync.WaitGroup
	group.Add(3)
	go group.Wait()
	time.Sleep(50 * time.Millisecond)
	truth.Say("waitgroup", &group, "3 to go, 1 waiting")
	var done, undone sync.Once
	done.Do(func() {})
	truth.Say("once", &done, "done")
	truth.Say("once-not", &undone, "not done")
}

func atomics() {
	var i32 atomic.Int32
	var i64 atomic.Int64
	var u32 atomic.Uint32
	var u64 atomic.Uint64
	var b atomic.Bool
	i32.Store(-32)
	i64.Store(-64)
	u32.Store(32)
	u64.Store(64)
	b.Store(true)
	truth.Say("atomic-int32", &i32, "-32")
	truth.Say("atomic-int64", &i64, "-64")
	truth.Say("atomic-uint32", &u32, "32")
	truth.Say("atomic-uint64", &u64, "64")
	truth.Say("atomic-bool", &b, "true")
}

func contexts() {
	background := context.Background()
	valued := context.WithValue(background, key("user"), "gopher")
	canceled, cancel := context.WithCancel(valued)
	cancel()
	deadline := time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)
	timed, _ := context.WithDeadline(valued, deadline)
	within, _ := context.WithCancel(timed)
	truth.Say("context", valued, `context.Background.WithValue(main.key("user"), "gopher")`)
	truth.Say("context-canceled", canceled, `context.Background.WithValue(main.key("user"), "gopher").WithCancel (context canceled)`)
	truth.Say("context-deadline", within, `context.Background.WithValue(main.key("user"), "gopher").WithDeadline(2040-01-02T03:04:05Z).WithCancel`)
}
