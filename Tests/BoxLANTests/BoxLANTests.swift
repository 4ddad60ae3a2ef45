import Testing
@testable import BoxLAN
