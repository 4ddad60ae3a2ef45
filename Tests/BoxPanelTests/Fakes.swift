import NIOCore
import NIOEmbedded
import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import Screens

@testable import BoxPanel

/// A surface that only notes what it is given.
final class NotingSurface: PanelSurface {
    let format: PictureFormat?
    let pace: PanelPace
    let keepsPicture: Bool
    var trouble: PanelTrouble?
    private(set) var screens: [Screen] = []
    private(set) var awaited: [Bool] = []
    private(set) var hasFinished = false

    init(
        _ pace: PanelPace, format: PictureFormat? = PictureFormat(width: 8, height: 8, depth: .rgb565),
        keepsPicture: Bool = true
    ) {
        self.pace = pace
        self.keepsPicture = keepsPicture
        self.format = format
    }

    func start() {}

    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {
        screens.append(screen)
        self.awaited.append(awaited)
        _ = try? picture()
    }

    func finish(_ done: @escaping () -> Void) {
        hasFinished = true
        done()
    }
}

/// Wires that lead to a simulated panel, in the time of an embedded event loop.
final class SimulatedWires<Panel: SimulatedPanel>: PanelWires {
    var panel: Panel
    var onReady: (() -> Void)?
    var onLost: ((DeviceError) -> Void)?
    /// What the bus answers from now on; nil: all is well.
    var failure: Int32?
    /// Whether BUSY is held for ever, as on a panel that is not there.
    var isStuck = false
    private(set) var operations = 0
    private let hasBusy: Bool
    private let loop: EmbeddedEventLoop

    init(_ panel: Panel, hasBusy: Bool, loop: EmbeddedEventLoop) {
        self.panel = panel
        self.hasBusy = hasBusy
        self.loop = loop
    }

    var isBusy: Bool? {
        get throws(DeviceError) {
            guard hasBusy else { return nil }
            guard !isStuck, let ready = panel.ready(at: loop.timestamp) else { return true }
            guard ready > loop.timestamp else { return false }
            // The edge, when it comes.
            loop.scheduleTask(in: .nanoseconds((ready - loop.timestamp).wholeNanoseconds)) { self.onReady?() }
            return true
        }
    }

    func carryOut(_ operation: PanelOperation) throws(DeviceError) {
        if let failure { throw DeviceError("write to the bus", code: failure) }
        operations += 1
        panel.apply(operation, at: loop.timestamp)
    }

    var visible: Picture { panel.visible(at: loop.timestamp) }
}

extension RoomScreen {
    /// A room that people can join.
    static func room(people: Int = 0, secret: String = "AAAAAAAAAAAAAAAAAAAAAA") -> RoomScreen {
        RoomScreen(
            name: "The Bridge Club",
            wifi: WiFi(
                ssid: "Bridge-k7m3", passphrase: "bcdfg-23456-vwxyz",
                code: "WIFI:T:WPA;S:Bridge-k7m3;P:bcdfg-23456-vwxyz;;"),
            link: "http://10.77.0.1/#\(secret)", address: "http://10.77.0.1/",
            people: People(count: people, healthy: people))
    }
}
