// What Swift's module of the C library leaves out.
#pragma once
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/timex.h>

#include "display.h"
#include "memory.h"

// sendmmsg(2) and recvmmsg(2), which glibc's headers show only to those who define _GNU_SOURCE.
#include <sys/socket.h>
struct CLinux_mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};
int CLinux_sendmmsg(int descriptor, struct CLinux_mmsghdr *messages, unsigned int count, int flags) __asm__("sendmmsg");
int CLinux_recvmmsg(int descriptor, struct CLinux_mmsghdr *messages, unsigned int count, int flags,
                    struct timespec *timeout) __asm__("recvmmsg");

// pipe2(2), and what closes descriptors that a child process has no business with (glibc 2.34); hidden in the same way.
int CLinux_pipe2(int *ends, int flags) __asm__("pipe2");
#include <spawn.h>
int CLinux_spawn_closefrom(posix_spawn_file_actions_t *actions, int from)
    __asm__("posix_spawn_file_actions_addclosefrom_np");

// spidev's requests, which are macros that Swift does not see.
#include <linux/spi/spidev.h>
enum CLinux_spi_request {
  CLinux_SPI_WRITE_MODE = SPI_IOC_WR_MODE32,
  CLinux_SPI_WRITE_BITS = SPI_IOC_WR_BITS_PER_WORD,
  CLinux_SPI_WRITE_CLOCK = SPI_IOC_WR_MAX_SPEED_HZ,
  CLinux_SPI_TRANSFER = SPI_IOC_MESSAGE(1),
};
