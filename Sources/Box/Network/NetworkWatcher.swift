import CLinux
import Glibc
public import Logging
public import NIOCore
import NIOPosix
import Synchronization

/// Tells when the machine's networks change: an address comes or goes, a cable is pulled, the Wi-Fi roams.
///
/// The kernel announces changes on a routing socket (rtnetlink(7)), read by an event loop: no processor time while
/// nothing changes. What it says is only taken as a hint to list the addresses again, so a message that is lost or
/// unknown costs nothing. Changes come in bursts (a DHCP lease is a dozen messages); the list is read 200 ms after the
/// first of one, so it is read five times a second at most.
public final class NetworkWatcher: Sendable {
    /// From the first message of a burst to reading the addresses.
    static let debounce = TimeAmount.milliseconds(200)
    /// From a failure of the socket or of the list to the next attempt.
    static let retryDelay = TimeAmount.seconds(2)

    private struct State {
        var network: LocalNetwork
        var channel: (any Channel)?
        var isScheduled = false
        var isStopped = false
    }
    private let state: Mutex<State>
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let onChange: @Sendable (LocalNetwork) -> Void

    /// Reads the networks and begins to watch them.
    /// - Parameters:
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`, that watches and calls `onChange`.
    ///   - logger: gets a line for each change.
    ///   - onChange: called with the networks after a change of anything in them.
    /// - Throws: ``NetworkError`` when the networks cannot be read.
    public init(
        on eventLoop: any EventLoop, logger: Logger, onChange: @escaping @Sendable (LocalNetwork) -> Void
    ) throws(NetworkError) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.onChange = onChange
        state = Mutex(State(network: try LocalNetwork.current()))
        watch()
    }

    /// The networks as they were last seen.
    public var network: LocalNetwork { state.withLock { $0.network } }

    /// Ends the watch; the callback is not called any more once the future succeeds.
    public func stop() -> EventLoopFuture<Void> {
        eventLoop.submit {
            let channel = self.state.withLock { state in
                state.isStopped = true
                return state.channel.take()
            }
            channel?.close(promise: nil)
        }
    }

    private func watch() {
        guard !state.withLock({ $0.isStopped }) else { return }
        let socket: Int32
        do throws(NetworkError) {
            let groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR
            socket = try announcementSocket(NETLINK_ROUTE, groups: UInt32(groups), to: "watch the network")
        } catch {
            logger.warning("network changes go unseen for now: \(error)")
            again()
            return
        }
        NIOPipeBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        HintHandler { self.scheduleUpdate(in: Self.debounce) })
                }
            }
            .takingOwnershipOfDescriptor(input: socket)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    let isStopped = self.state.withLock { state in
                        if !state.isStopped { state.channel = channel }
                        return state.isStopped
                    }
                    if isStopped { return channel.close(promise: nil) }
                    // The kernel drops messages when the socket's buffer is full and then fails the socket once
                    // (ENOBUFS), which closes the channel: a new one, and a look at what was missed.
                    channel.closeFuture.whenComplete { _ in self.again() }
                    // What changed between the first list and this moment was not announced to anyone.
                    self.scheduleUpdate(in: .zero)
                case .failure(let error):
                    close(socket)
                    self.logger.warning("network changes go unseen for now: \(error)")
                    self.again()
                }
            }
    }

    private func again() {
        let isStopped = state.withLock { state in
            state.channel = nil
            return state.isStopped
        }
        if !isStopped { eventLoop.scheduleTask(in: Self.retryDelay) { self.watch() } }
    }

    private func scheduleUpdate(in delay: TimeAmount) {
        let isNew = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled && !state.isStopped
        }
        if isNew { eventLoop.scheduleTask(in: delay) { self.update() } }
    }

    private func update() {
        state.withLock { $0.isScheduled = false }
        let network: LocalNetwork
        do throws(NetworkError) {
            network = try LocalNetwork.current()
        } catch {
            logger.warning("\(error)")
            scheduleUpdate(in: Self.retryDelay)
            return
        }
        let isChange = state.withLock { state in
            guard !state.isStopped, state.network != network else { return false }
            state.network = network
            return true
        }
        guard isChange else { return }
        logger.info("the network changed: \(network.addresses.map(\.description).joined(separator: ", "))")
        onChange(network)
    }
}

/// Turns whatever arrives into a hint.
private final class HintHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let hint: () -> Void

    init(_ hint: @escaping () -> Void) {
        self.hint = hint
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hint()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
