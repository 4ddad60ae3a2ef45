import NIOCore
import ServiceLifecycle

/// Tells systemd's watchdog that the event loop still turns: a box that hangs is started again.
struct WatchdogService: Service {
    let manager: ServiceManager
    let eventLoop: any EventLoop

    func run() async throws {
        guard let interval = manager.watchdogInterval else {
            try await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: interval)) != nil {
                // Asked of the loop itself: the answer does not come when the loop is stuck.
                guard (try? await eventLoop.submit({}).get()) != nil else { return }
                manager.alive()
            }
        }
    }
}
