// The heap that a box surely uses before anybody has come, had at once. Page by page the kernel would be asked for it,
// most of that before the first beacon.
#pragma once
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  CLinux_HEAP_AT_START = 768 * 1024,
  // MADV_POPULATE_WRITE of madvise(2), since Linux 5.14; older kernels refuse it, and then it is page by page.
  CLinux_POPULATE_WRITE = 23,
};

// To be called before there is a second thread.
static inline void CLinux_prepareHeap(void) {
  // One heap for all threads: almost all that is allocated is so on the one event loop that everything lives on, and each
  // further heap would have pages of its own.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, CLinux_HEAP_AT_START);
  // What is left of the heap is less than these, so it grows.
  void *first = malloc(100 * 1024), *second = malloc(100 * 1024);
  char *begin = (char *)((uintptr_t)first & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1));
  free(second);
  free(first);
  // Some of it has gone back to the kernel with these.
  char *end = (char *)sbrk(0);
  madvise(begin, (size_t)(end - begin), CLinux_POPULATE_WRITE);
}
