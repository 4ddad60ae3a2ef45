import NIOCore
import PanelDrivers

/// What a panel on the SPI bus is wired to. Used on the panel's event loop only.
protocol PanelWires: AnyObject {
    /// Whether the BUSY line is held; nil: there is no such line.
    var isBusy: Bool? { get throws(DeviceError) }
    /// Called when the BUSY line was let go.
    var onReady: (() -> Void)? { get set }
    /// Called when the BUSY line can't be read any more.
    var onLost: ((DeviceError) -> Void)? { get set }

    /// Carries out an operation that waits for nothing but the bus.
    func carryOut(_ operation: PanelOperation) throws(DeviceError)
}

/// The wires of a Raspberry Pi, by the kernel's spidev and GPIO devices.
final class KernelWires: PanelWires {
    private let bus: SPIBus
    private let dataCommand: GPIOOutput
    private let resetLine: GPIOOutput?
    private let backlight: GPIOOutput?
    private let busy: GPIOInput?
    /// What the D/C line is at; nil: not known.
    private var isAtData: Bool?
    private let relay: Relay

    var onReady: (() -> Void)? {
        get { relay.onReady }
        set { relay.onReady = newValue }
    }

    var onLost: ((DeviceError) -> Void)? {
        get { relay.onLost }
        set { relay.onLost = newValue }
    }

    /// Takes the edges before the wires are there.
    private final class Relay {
        var onReady: (() -> Void)?
        var onLost: ((DeviceError) -> Void)?
    }

    /// Opens the devices.
    /// - Parameters:
    ///   - path: the SPI device.
    ///   - clock: its rate in hertz.
    /// - Throws: what is missing and what to do.
    init(
        model: PanelModel, path: String, clock: UInt32, on eventLoop: any EventLoop
    ) throws(DeviceError) {
        bus = try SPIBus.open(path, clock: clock, mode: SPIBus.Mode(rawValue: UInt32(model.spiMode)) ?? .zero)
        dataCommand = try GPIOOutput(.dataCommand)
        if model.busy != nil {
            // Nothing else wakes an e-paper from its deep sleep.
            resetLine = try GPIOOutput(.reset, activeLow: true)
        } else {
            // Where the board ties it to the supply, the command that every driver begins with is the reset.
            resetLine = try Self.ifThere { () throws(DeviceError) in try GPIOOutput(.reset, activeLow: true) }
        }
        backlight = try Self.ifThere { () throws(DeviceError) in try GPIOOutput(.backlight) }
        let relay = Relay()
        self.relay = relay
        if let level = model.busy {
            busy = try GPIOInput(
                .busy, activeLow: level == .activeLow,
                // A panel drives the line; where there is none, it reads busy.
                bias: level == .activeLow ? .pullDown : .pullUp, on: eventLoop,
                onEdge: { if !$0.isActive { relay.onReady?() } }, onFailure: { relay.onLost?($0) })
        } else {
            busy = nil
        }
    }

    private static func ifThere<Line>(_ open: () throws(DeviceError) -> Line) throws(DeviceError) -> Line? {
        do throws(DeviceError) {
            return try open()
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }

    var isBusy: Bool? {
        get throws(DeviceError) { try busy?.level() }
    }

    func carryOut(_ operation: PanelOperation) throws(DeviceError) {
        switch operation {
        case .reset(let active): try resetLine?.set(active)
        case .backlight(let on): try backlight?.set(on)
        case .command(let command, let parameters):
            try send([command], isData: false)
            if !parameters.isEmpty { try send(parameters, isData: true) }
        case .wideCommand(let command): try send([0, command], isData: false)
        case .data(let octets): try send(octets, isData: true)
        case .wait, .awaitReady: break
        }
    }

    private func send(_ octets: [UInt8], isData: Bool) throws(DeviceError) {
        if isAtData != isData {
            isAtData = nil
            try dataCommand.set(isData)
            isAtData = isData
        }
        let error = octets.withUnsafeBytes { octets -> DeviceError? in
            do throws(DeviceError) {
                try bus.write(octets)
                return nil
            } catch {
                return error
            }
        }
        if let error { throw error }
    }
}
