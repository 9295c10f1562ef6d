//! The device itself: its keys, and the account it is linked to.

use async_trait::async_trait;
use whatsapp_rust::traits::DeviceStore;
use whatsapp_rust::wacore::store::Device;
use whatsapp_rust::wacore::store::error::Result;

use super::Store;

const DEVICE: &str = "device";
/// The client numbers the devices of a store; a vault holds one.
const ONLY: i32 = 1;

#[async_trait]
impl DeviceStore for Store {
    async fn save(&self, device: &Device) -> Result<()> {
        self.put_json(DEVICE.to_owned(), device).await
    }

    async fn load(&self) -> Result<Option<Device>> {
        self.get_json(DEVICE).await
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.get(DEVICE).await?.is_some())
    }

    async fn create(&self) -> Result<i32> {
        self.save(&Device::new()).await?;
        Ok(ONLY)
    }
}
