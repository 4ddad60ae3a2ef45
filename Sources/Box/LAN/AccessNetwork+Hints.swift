import BoxNetwork
import CLinux
import Glibc
import Logging
import NIOCore
import Netlink
import Synchronization

extension AccessNetwork {
    /// Octets of the longest datagram that announces a change: the kernel makes them of 8 KB at most (`NLMSG_GOODSIZE`,
    /// linux/netlink.h).
    private static let announcementCapacity = 16 * 1024

    /// When to look at the rules and at the interface: after a change of the box's table, and when the interface becomes a
    /// bridge's port or gives way to another one of its name, all of which the kernel announces; and every now and then
    /// besides, also where the kernel has no announcements for this process. Hints that are not taken become one.
    ///
    /// Changes of other tables and of other interfaces are none of them, so a program that makes many costs the reading of
    /// them.
    /// - Parameter eventLoop: a loop of a `MultiThreadedEventLoopGroup`; announcements are read on it.
    func hints(on eventLoop: any EventLoop) -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { hint in
            let timer = eventLoop.scheduleRepeatedTask(
                initialDelay: Self.watchInterval, delay: Self.watchInterval
            ) { _ in hint.yield() }
            let ends = [
                listen(to: NETLINK_NETFILTER, groups: 1 << (RuleMessages.group - 1), on: eventLoop, hint) {
                    RuleMessages.concern(table: Firewall.table, $0)
                },
                listen(to: NETLINK_ROUTE, groups: UInt32(RTMGRP_LINK), on: eventLoop, hint) { [self] in
                    guard let present = running.withLock({ $0?.closed }) ?? closed.withLock({ $0 }) else {
                        return false
                    }
                    return Link.isDisplaced(present.index, present.place.interface, by: $0)
                },
            ]
            hint.onTermination = { _ in
                timer.cancel()
                for end in ends { end?() }
            }
        }
    }

    /// Takes for a hint what the kernel announces.
    /// - Parameter isHint: whether a datagram is one.
    /// - Returns: ends it; nil where there are no announcements.
    private func listen(
        to family: Int32, groups: UInt32, on eventLoop: any EventLoop, _ hint: AsyncStream<Void>.Continuation,
        isHint: @escaping @Sendable (RawSpan) -> Bool
    ) -> (@Sendable () -> Void)? {
        let socket: Int32
        do throws(NetworkError) {
            socket = try announcementSocket(family, groups: groups, to: "watch the network of the Wi-Fi")
        } catch {
            logger.info("changes of the firewall and of bridges are only looked for: \(error)")
            return nil
        }
        let reader = NIOLoopBoundBox<DescriptorReader?>.makeBoxSendingValue(nil, eventLoop: eventLoop)
        eventLoop.execute {
            reader.value = DescriptorReader(
                socket, capacity: Self.announcementCapacity, on: eventLoop,
                onRead: { datagram in
                    let isOurs = datagram.withUnsafeReadableBytes { isHint(RawSpan(_unsafeBytes: $0)) }
                    if isOurs { hint.yield() }
                },
                // The kernel tells of announcements that found no room (ENOBUFS).
                onFailure: { _ in hint.yield() })
        }
        return {
            eventLoop.execute {
                reader.value?.close()
                reader.value = nil
                Glibc.close(socket)
            }
        }
    }
}
