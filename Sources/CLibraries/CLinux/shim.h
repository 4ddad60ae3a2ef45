// What Swift's module of the C library leaves out.
#pragma once
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/timex.h>

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
