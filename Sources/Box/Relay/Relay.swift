// Stands in until the relay lands.
public import Logging
public import NIOCore
public import Wire
public struct RelayCounters: Sendable {
    public var bindings: UInt64 = 0; public var allocations = 0; public var relayedPackets: UInt64 = 0;
    public var relayedBytes: UInt64 = 0; public var refusals: UInt64 = 0
}
public final class RelayServer: Sendable {
    public struct Configuration: Sendable { public init() {} }
    public init(
        configuration: Configuration, eventLoop: any EventLoop, logger: Logger,
        passwords: @escaping @Sendable (String) -> String?
    ) {}
    public func start() async throws {}
    public func stop() async {}
    public func update(networks: [IPNetwork], localAddresses: [IPAddress]) {}
    public func dropAll() {}
    public func counters() async -> RelayCounters { RelayCounters() }
}
