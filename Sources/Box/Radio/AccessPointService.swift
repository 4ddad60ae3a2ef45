public import AccessPoint
public import Logging
import NIOCore
import NIOPosix

/// The box's access point: the machine that ``AccessPoint`` is, with its sockets and its timer.
///
/// It has an event loop of its own: the kernel carries out a request while it is being sent, and some drivers sleep for
/// half a second in one, which nobody's media shall wait for.
public final class AccessPointService: Sendable {
    private let eventLoop: any EventLoop
    private let engine: NIOLoopBoundBox<AccessPointEngine>

    /// Makes an access point that is stopped; nothing is opened.
    /// - Parameters:
    ///   - configuration: what it shall be.
    ///   - logger: gets a line for what an owner may like to know.
    ///   - onEvent: called with what happens, in order.
    ///   - onTrouble: called when what is wrong has changed; ``snapshot()`` tells it.
    public init(
        configuration: AccessPointConfiguration, logger: Logger,
        onEvent: @escaping @Sendable (AccessPointEvent) -> Void, onTrouble: @escaping @Sendable () -> Void
    ) {
        eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let engine = AccessPointEngine(
            configuration: configuration, eventLoop: eventLoop, logger: logger, onEvent: onEvent,
            onTrouble: onTrouble)
        self.engine = NIOLoopBoundBox.makeBoxSendingValue(engine, eventLoop: eventLoop)
    }

    /// Begins; what fails is tried again, and told by ``snapshot()``.
    public func start() -> AccessPointBeginning {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { self.engine.value.start(promise) }
        return AccessPointBeginning(future: promise.futureResult)
    }

    /// Sends everyone away and ends.
    public func stop() async {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { self.engine.value.stop(promise) }
        try? await promise.futureResult.get()
    }

    /// Something else is wanted from now on: with another name or passphrase everyone is sent away, and the beacon
    /// begins anew within a second.
    public func configure(_ configuration: AccessPointConfiguration) {
        eventLoop.execute { self.engine.value.take(.configure(configuration)) }
    }

    /// The answer to ``AccessPointEvent/preparing(interface:)``: whether phones may come onto the interface.
    public func prepared(interface: String, _ isReady: Bool) {
        eventLoop.execute { self.engine.value.take(.prepared(interface: interface, isReady)) }
    }

    /// Everyone must come again, for other addresses for example.
    public func sendEveryoneOff() {
        eventLoop.execute { self.engine.value.take(.sendEveryoneOff) }
    }

    /// How it is doing.
    public func snapshot() async -> AccessPointSnapshot {
        let future = eventLoop.submit { self.engine.value.snapshot }
        // The loop runs as long as the box does.
        return (try? await future.get()) ?? AccessPointSnapshot.none
    }
}

/// The beginning of an ``AccessPointService``.
public struct AccessPointBeginning: Sendable {
    let future: EventLoopFuture<Void>

    /// Returns when the beacon is on the air, or waits for something else than the kernel.
    /// - Parameter limit: how long this takes at most.
    public func end(within limit: Duration) async {
        let promise = future.eventLoop.makePromise(of: Void.self)
        let late = future.eventLoop.scheduleTask(in: TimeAmount(limit)) { promise.succeed(()) }
        future.whenComplete { _ in
            late.cancel()
            promise.succeed(())
        }
        try? await promise.futureResult.get()
    }
}
