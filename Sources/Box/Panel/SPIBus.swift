import CLinux
import Glibc

/// An SPI device by the kernel's spidev (Documentation/spi/spidev.rst): what is written goes to the panel at once, and
/// the call returns when it is there.
public struct SPIBus: ~Copyable {
    /// Clock polarity and phase (linux/spi/spi.h, `SPI_CPOL` and `SPI_CPHA`).
    public enum Mode: UInt32, Sendable {
        /// The clock rests low, data is taken at its rise. All panels here.
        case zero = 0
        /// The clock rests low, data is taken at its fall.
        case one = 1
        /// The clock rests high, data is taken at its fall.
        case two = 2
        /// The clock rests high, data is taken at its rise.
        case three = 3
    }

    /// Octets that the driver takes at once where it does not say (drivers/spi/spidev.c).
    private static let usualTransfer = 4096
    private static let transferPath = "/sys/module/spidev/parameters/bufsiz"

    /// Where it is, for example `/dev/spidev0.0`.
    public let path: String
    /// Octets that the driver takes at once.
    public let transferLimit: Int
    private let descriptor: CInt
    private let clock: UInt32

    private init(path: String, transferLimit: Int, descriptor: CInt, clock: UInt32) {
        self.path = path
        self.transferLimit = transferLimit
        self.descriptor = descriptor
        self.clock = clock
    }

    deinit {
        close(descriptor)
    }

    /// Opens a device and sets it up: words of 8 bits, the first bit first.
    /// - Parameters:
    ///   - path: the device, for example `/dev/spidev0.0`.
    ///   - clock: its highest rate in hertz; the controller takes the next one below that it can make.
    ///   - mode: clock polarity and phase.
    /// - Throws: what is missing and what to do.
    public static func open(_ path: String, clock: UInt32, mode: Mode = .zero) throws(DeviceError) -> SPIBus {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open \(path)", errno) }
        var mode = mode.rawValue
        var bits: UInt8 = 8
        var clock = clock
        guard ioctl(descriptor, UInt(CLinux_SPI_WRITE_MODE.rawValue), &mode) == 0,
            ioctl(descriptor, UInt(CLinux_SPI_WRITE_BITS.rawValue), &bits) == 0,
            ioctl(descriptor, UInt(CLinux_SPI_WRITE_CLOCK.rawValue), &clock) == 0
        else {
            let code = errno
            close(descriptor)
            throw failure("set up \(path)", code)
        }
        return SPIBus(path: path, transferLimit: readTransferLimit(), descriptor: descriptor, clock: clock)
    }

    /// Writes octets, in as many transfers as the driver needs. Chip select is let go between two of them, which a panel
    /// takes for a pause.
    /// - Throws: `errno` of the transfer that failed; those before it were carried out.
    public func write(_ octets: UnsafeRawBufferPointer) throws(DeviceError) {
        var rest = octets[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(transferLimit))
            var transfer = spi_ioc_transfer()
            transfer.tx_buf = UInt64(UInt(bitPattern: part.baseAddress))
            transfer.len = UInt32(part.count)
            transfer.speed_hz = clock
            transfer.bits_per_word = 8
            guard ioctl(descriptor, UInt(CLinux_SPI_TRANSFER.rawValue), &transfer) >= 0 else {
                if errno == EINTR { continue }
                throw Self.failure("write to \(path)", errno)
            }
            rest = rest.dropFirst(part.count)
        }
    }

    private static func failure(_ operation: String, _ code: Int32) -> DeviceError {
        let advice: String? =
            switch code {
            case ENOENT: "SPI is off or has no such device: config.txt needs the line dtparam=spi=on, and a restart."
            case ENXIO, ENODEV: "The device is gone: a kernel driver or another overlay has taken it."
            case EACCES, EPERM: DeviceError.permissionAdvice(group: "spi")
            case EBUSY: "Another program has the device open."
            case ENOTTY: "That is no SPI device: panel.spi names one, /dev/spidev0.0 usually."
            case EINVAL: "The controller cannot do this clock or mode: lower panel.clock."
            default: nil
            }
        return DeviceError(operation, code: code, advice: advice)
    }

    private static func readTransferLimit() -> Int {
        let file = Glibc.open(transferPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return usualTransfer }
        defer { close(file) }
        var digits = [UInt8](repeating: 0, count: 16)
        let count = read(file, &digits, digits.count)
        guard count > 0, let limit = Int(String(decoding: digits[..<count].prefix { $0 != 0x0A }, as: UTF8.self)),
            limit > 0
        else { return usualTransfer }
        return limit
    }
}
