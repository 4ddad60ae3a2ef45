import Hummingbird
import NIOCore
import Wire

/// What the routes know of a request besides itself.
struct BoxRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Where the phone is; nil when its socket is gone already.
    let remoteAddress: SocketAddress?
    /// The address of the box that the phone reached it at.
    let localAddress: SocketAddress?

    /// Requests of this API are a few hundred bytes.
    static let maxBody = 4096
    var maxUploadSize: Int { Self.maxBody }

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
        localAddress = source.channel.localAddress
    }

    /// The box's IPv4 address, as this phone reached it.
    var boxAddress: IPAddress? {
        guard case .v4? = localAddress else { return nil }
        return IPAddress(localAddress)
    }
}
