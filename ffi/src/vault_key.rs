//! The key of the vault.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport::{Invalid, Random};
use zeroize::Zeroizing;

use crate::error::SeatportError;
use crate::host::{Held, call};

/// The key that credentials and proxy passwords are sealed with: 32 random bytes, from the host's own key store. Nothing shows it.
#[derive(Debug, uniffi::Object)]
pub struct VaultKey(seatport::vault::VaultKey);

impl VaultKey {
    /// The key as core has it.
    pub(crate) fn key(&self) -> seatport::vault::VaultKey {
        self.0.clone()
    }
}

#[uniffi::export]
impl VaultKey {
    /// The key of these 32 bytes.
    ///
    /// # Errors
    /// `Invalid` when they are more or fewer.
    #[uniffi::constructor]
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Arc<Self>, SeatportError> {
        let bytes = Zeroizing::new(bytes);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
            let problem = format!("{} bytes long", bytes.len());
            Invalid::new("vault key", problem, "give it exactly 32 random bytes, as VaultKey.generate does")
        })?;
        Ok(Self(seatport::vault::VaultKey::new(*Zeroizing::new(key))).into())
    }

    /// A fresh key. Keep it in the host's key store: without it the credentials are lost.
    ///
    /// # Errors
    /// `Internal` when the operating system gives no randomness.
    #[uniffi::constructor]
    pub fn generate() -> Result<Arc<Self>, SeatportError> {
        let random = Random::from_os().map_err(seatport::Error::Entropy)?;
        Ok(Self(seatport::vault::VaultKey::generate(&random)).into())
    }

    /// The 32 bytes, for the host's key store; the name is a reminder to whoever reads the call.
    ///
    /// # Errors
    /// None.
    pub fn expose(&self) -> Result<Vec<u8>, SeatportError> {
        Ok(self.0.expose().to_vec())
    }
}

/// Fetches the keys of the vault from the host's key store. Asked once, when an instance opens.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait VaultKeyProvider: Send + Sync {
    /// The key that is sealed with: 32 bytes.
    ///
    /// # Errors
    /// Whatever is thrown ends `open`.
    async fn current(&self) -> Result<Vec<u8>, SeatportError>;

    /// Earlier keys, which still open what they sealed: 32 bytes each. Empty, if there are none.
    ///
    /// # Errors
    /// Whatever is thrown ends `open`.
    async fn previous(&self) -> Result<Vec<Vec<u8>>, SeatportError>;
}

/// The current key and the earlier ones; the host has this long for each of the two answers.
pub(crate) async fn ask(
    provider: Arc<dyn VaultKeyProvider>,
    limit: Duration,
) -> Result<(Option<Arc<VaultKey>>, Vec<Arc<VaultKey>>), SeatportError> {
    let provider = Held::new(provider);
    let current = VaultKey::from_bytes(call("current", limit, provider.current()).await?)?;
    let previous = call("previous", limit, provider.previous()).await?;
    Ok((Some(current), previous.into_iter().map(VaultKey::from_bytes).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_32_bytes_and_shows_none_of_them() {
        let key = VaultKey::from_bytes(vec![231; 32]).unwrap();
        assert_eq!(key.expose().unwrap(), [231; 32]);
        assert!(!format!("{key:?}").contains("231"));
        for length in [0, 31, 33] {
            let Err(SeatportError::Invalid { field, detail, .. }) = VaultKey::from_bytes(vec![231; length]) else {
                panic!("{length} bytes make no key")
            };
            assert_eq!(field, "vault key");
            assert!(!detail.contains("231"));
        }
    }

    #[test]
    fn generated_keys_differ() {
        let keys = [VaultKey::generate().unwrap(), VaultKey::generate().unwrap()];
        assert_ne!(keys[0].expose().unwrap(), keys[1].expose().unwrap());
    }

    /// A key store that answers these.
    struct Store(Vec<Vec<u8>>);

    #[async_trait]
    impl VaultKeyProvider for Store {
        async fn current(&self) -> Result<Vec<u8>, SeatportError> {
            match self.0.first() {
                Some(key) => Ok(key.clone()),
                None => std::future::pending().await,
            }
        }

        async fn previous(&self) -> Result<Vec<Vec<u8>>, SeatportError> {
            Ok(self.0[1..].to_vec())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_store_is_asked_for_the_current_key_and_the_earlier_ones() {
        let limit = Duration::from_secs(2);
        let store = Arc::new(Store(vec![vec![1; 32], vec![2; 32], vec![3; 32]]));
        let (current, previous) = ask(store, limit).await.unwrap();
        assert_eq!(current.unwrap().key().expose(), &[1; 32]);
        assert_eq!(previous.iter().map(|key| key.key().expose()[0]).collect::<Vec<_>>(), [2, 3]);

        let short = ask(Arc::new(Store(vec![vec![1; 32], vec![2; 31]])), limit).await;
        assert!(matches!(short, Err(SeatportError::Invalid { .. })));
        let hanging = ask(Arc::new(Store(Vec::new())), limit).await;
        assert!(matches!(hanging, Err(SeatportError::Host { .. })));
    }
}
