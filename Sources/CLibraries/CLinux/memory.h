// Memory that a box surely writes while it starts, had at once. Page by page the kernel would be asked for it some four
// hundred times before the first beacon, which takes longer than all else.
#pragma once
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// Where the executable's zeroed data begins and ends (the linker's names).
extern char __bss_start[], _end[];

enum {
  // Of the heap, what a box has in use before anybody has come.
  CLinux_HEAP_AT_START = 512 * 1024,
  // MADV_POPULATE_WRITE of madvise(2), since Linux 5.14; older kernels refuse it, and then it is page by page.
  CLinux_POPULATE_WRITE = 23,
};

static inline void CLinux_populate(char *begin, char *end) {
  uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
  uintptr_t first = ((uintptr_t)begin + mask) & ~mask, last = (uintptr_t)end & ~mask;
  if (last > first) madvise((void *)first, last - first, CLinux_POPULATE_WRITE);
}

// To be called before there is a second thread.
static inline void CLinux_prepareMemory(void) {
  // One heap for all threads: almost all that is allocated is so on the one event loop that everything lives on, and each
  // further heap would have pages of its own.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, CLinux_HEAP_AT_START);
  // What is left of the heap is less than these, so it grows.
  void *first = malloc(100 * 1024), *second = malloc(100 * 1024);
  free(second);
  free(first);
  char *heap = (char *)sbrk(0);
  CLinux_populate(heap - CLinux_HEAP_AT_START, heap);
  CLinux_populate(__bss_start, _end);
}
