package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// errNoProcess is returned for a process that does not exist, or no longer.
var errNoProcess = errors.New("there is no such process")

// clockTick is the unit of time in /proc/PID/stat, as every port of Linux shows it (USER_HZ).
const clockTick = time.Second / 100

// A processStat is what /proc/PID/stat tells of a process.
type processStat struct {
	parent    int
	processor time.Duration // its own and that of the children it has waited for
	pages     int64         // resident
}

// processTree adds up what a process and its descendants use.
func processTree(pid int) (treeUse, error) {
	all, err := readProcesses()
	if err != nil {
		return treeUse{}, err
	}
	if _, is := all[pid]; !is {
		return treeUse{}, errNoProcess
	}
	children := map[int][]int{}
	for child, stat := range all {
		children[stat.parent] = append(children[stat.parent], child)
	}
	var use treeUse
	for family := []int{pid}; len(family) > 0; family = family[1:] {
		member := all[family[0]]
		use.processor += member.processor
		use.memory += memoryOf(family[0], member)
		use.processes++
		family = append(family, children[family[0]]...)
	}
	return use, nil
}

// readProcesses reads what there is. A process that ends meanwhile is left out.
func readProcesses() (map[int]processStat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	all := map[int]processStat{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		if stat, ok := parseStat(text); ok {
			all[pid] = stat
		}
	}
	return all, nil
}

// parseStat reads /proc/PID/stat. The name of the program, which is in parentheses, may hold anything.
func parseStat(text []byte) (processStat, bool) {
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const (
		parent = 4 - 3 // as proc(5) numbers them; the name is number 2
		utime  = 14 - 3
		cstime = 17 - 3
		rss    = 24 - 3
	)
	if len(fields) <= rss {
		return processStat{}, false
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(string(fields[field]), 10, 64) // the kernel writes numbers
		return n
	}
	stat := processStat{parent: int(number(parent)), pages: number(rss)}
	for field := utime; field <= cstime; field++ {
		stat.processor += time.Duration(number(field)) * clockTick
	}
	return stat, true
}

// memoryOf is a process's part of the memory that it shares with others, and what is its alone (Pss). Where the system does not
// tell that to everybody, it is all that is resident.
func memoryOf(pid int, stat processStat) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" {
				if kB, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
					return kB << 10
				}
			}
		}
	}
	return stat.pages * int64(os.Getpagesize())
}
