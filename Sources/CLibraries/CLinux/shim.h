// What Swift's module of the C library leaves out.
#pragma once
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/timex.h>
